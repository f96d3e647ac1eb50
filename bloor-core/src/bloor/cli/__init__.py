"""The command line, thin. Only here is logging configured."""
