"""Every process that is started, and what it may see: `helpers` starts Python processes of our own, `git` runs git,
`environment` decides where code, programs and libraries may come from. A test holds that nothing else starts a process.
"""
