"""Contract cards: what a plug-in of each kind promises, as base classes for pytest.

One for each kind::

    class TestFeed(FeedCards):
        plugin = "mine"  # the name that users type
        waived = {"F15": "the venue numbers the whole connection: a hole costs every book"}

Subclass the class of a kind once in a test module of yours, and name your installed plug-in; every card becomes a test.
The rules:

- **Numbers never change.** A new card gets a new number; a card that is dropped leaves a hole.
- **A card cannot be overridden**, replaced or removed in a subclass: making such a class raises TypeError. What a
  plug-in cannot promise it *waives*, by number, with a reason that stands in every report.
- A card **does not apply** when it asks about something that is optional and that the plug-in does not have (a
  compiled form, amendments); the card itself decides that, and says why.
- A card tests through the plug-in's public side only: what its hooks hand over, and, for venues, what it says to and
  hears from its own simulated venue in virtual time. No card opens a socket or looks at a clock.

:mod:`bloor.testing.pytest_plugin` prints the table at the end of a run.
"""
