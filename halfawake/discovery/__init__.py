"""From an unknown laptop to a configuration: look, propose, prove, write. Reads only.

Looks at the environment, at env and compose files of the working folder and at what connectors
know (`connectors.discovery`). Values of variables are never printed and never written.
"""
