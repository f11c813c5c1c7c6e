"""Pages for people: each module has the routes of one noun; all work without JavaScript."""
