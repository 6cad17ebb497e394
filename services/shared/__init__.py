"""What more than one service needs: settings, tokens, problems, database, the seeded world."""
