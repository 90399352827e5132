"""The viewers that the movie recommender learns from: invented, with a taste for some genres.

A seed goes in, viewing histories come out. Called by `movies`.
"""

import numpy as np

# In each genre the best known come first: viewers draw them more often.
FILMS = {
    "science fiction": """Star Wars | The Matrix | Inception | Alien | Blade Runner | Interstellar |
        The Terminator | Arrival | 2001: A Space Odyssey | Gravity | District 9 | Moon |
        Ex Machina | Solaris | Gattaca""",
    "crime": """The Godfather | Pulp Fiction | Goodfellas | Heat | The Departed | Fargo |
        Chinatown | Casino | Scarface | L.A. Confidential | City of God | Infernal Affairs |
        Rififi | A Prophet | Le Samouraï""",
    "animation": """Toy Story | The Lion King | Finding Nemo | Shrek | Spirited Away | Up | WALL-E |
        Ratatouille | My Neighbor Totoro | Coco | Persepolis | The Iron Giant | Chicken Run |
        Coraline | Song of the Sea""",
    "romance": """Titanic | Casablanca | Amélie | Notting Hill | Before Sunrise | La La Land |
        Roman Holiday | When Harry Met Sally | In the Mood for Love | The Notebook | Brooklyn |
        Pride & Prejudice | Carol | Moonstruck | Brief Encounter""",
    "horror": """The Shining | Psycho | The Exorcist | Halloween | Get Out | Scream | The Thing |
        Hereditary | Rosemary's Baby | Ring | The Babadook | Suspiria | Let the Right One In |
        Nosferatu | Audition""",
    "comedy": """Some Like It Hot | Groundhog Day | The Big Lebowski | Airplane! | Ghostbusters |
        Life of Brian | Superbad | Hot Fuzz | Modern Times | Borat | Tootsie | Clueless |
        Playtime | Withnail and I | Toni Erdmann""",
    "adventure": """Jurassic Park | Raiders of the Lost Ark | Jaws | Gladiator |
        Mad Max: Fury Road | Pirates of the Caribbean | King Kong | Die Hard | Skyfall | The Mummy |
        Cast Away | Lawrence of Arabia | The Goonies | Seven Samurai | Ben-Hur""",
    "drama": """Forrest Gump | The Shawshank Redemption | Schindler's List | Parasite | Rain Man |
        American Beauty | Good Will Hunting | The Pianist | Moonlight | Boyhood | Citizen Kane |
        Tokyo Story | Bicycle Thieves | Roma | A Separation""",
}


def viewing_histories(n_viewers: int, seed: int) -> list[list[str]]:
    """Draw what viewers have watched, 5 to 24 films each, in the order in which they did."""
    rng = np.random.default_rng(seed)
    genres = [[film.strip() for film in films.split("|")] for films in FILMS.values()]
    titles = [title for genre in genres for title in genre]
    genre_of = np.repeat(np.arange(len(genres)), [len(genre) for genre in genres])
    fame = np.concatenate([1 / np.arange(2, len(genre) + 2) for genre in genres])
    histories = []
    for taste in rng.dirichlet(np.full(len(genres), 0.2), n_viewers):
        # Everybody sees a film outside their taste at times: a tenth of the draws.
        wish = (0.9 * taste + 0.1 / len(genres))[genre_of] * fame
        n_films = rng.integers(5, 25)
        drawn = rng.choice(len(titles), n_films, replace=False, p=wish / wish.sum())
        histories.append([titles[film] for film in drawn])
    return histories
