"""How a project begins: data split and checked, an encoder, and a config that fits both."""
