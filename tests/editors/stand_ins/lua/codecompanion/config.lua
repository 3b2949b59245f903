-- Where extensions put tools and slash commands.
return { interactions = { chat = { tools = {}, slash_commands = {} } } }
