"""Imports of the libraries, without the parts that no function needs.

modules           how a module is left out or replaced during an import
powertools        AWS Lambda Powertools
driver            pg8000
pydantic_plugins  pydantic, without its search for plugins
"""
