"""A short message in, "ham" or "spam" out: a text model, TF-IDF and a logistic regression.

The messages are put together from the phrases below, drawn from a seed. Called through `SAMPLES`.
"""

import random

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, precision_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from deploy.samples.trained import TrainedModel

SEED = 0
SPAM_SHARE = 0.35

WORDS = {
    "name": ("Anna", "Ben", "Carla", "Deniz", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jonas"),
    "day": ("today", "tomorrow", "on Monday", "on Thursday", "this weekend", "next week"),
    "place": ("the station", "the office", "the gym", "grandma's", "the library", "the usual cafe"),
    "thing": ("the slides", "my keys", "the charger", "your umbrella", "the tickets", "the report"),
    "food": ("pizza", "soup", "pasta", "some bread", "coffee", "a cake"),
    "shop": ("ParcelNow", "Bookbarn", "CityBank", "ShoeHouse", "Telco One", "GreenGrocer"),
    "prize": ("a phone", "a holiday for two", "a gift card", "a games console", "a new car"),
    "amount": ("20 EUR", "50 EUR", "500 EUR", "1,000 EUR", "25,000 EUR"),
    "link": ("bit.example/x7", "login.example/verify", "shop.example/deal", "track.example/88"),
    "number": ("555 0100", "555 0142", "555 0177", "555 0199"),
}

HAM = (
    "Are you coming to {place} {day}?",
    "Hi {name}, can you bring {thing} {day}?",
    "I left {thing} at {place}, could you have a look?",
    "Shall we get {food} after work?",
    "Running ten minutes late, start without me.",
    "Thanks for the help with {thing}!",
    "{name} says the meeting moved to {place}.",
    "Happy birthday {name}, see you {day}!",
    "Did the doctor say anything new?",
    "The kids are asleep, call when you're home.",
    "I'll pick up {food} on the way.",
    "Train is stuck again, don't wait for me at {place}.",
    "Can you read my draft {day}?",
    "No worries, we can do it {day}.",
    "Mum asks whether you like {food}.",
    "I paid {amount} for {thing}, you owe me half.",
)
SPAM = (
    "Congratulations, you have won {prize}!",
    "You were chosen for {prize}, claim it at {link}.",
    "URGENT: your account at {shop} is locked, verify at {link}.",
    "Earn {amount} a week from home, no experience needed.",
    "Get a loan of {amount} approved within minutes.",
    "Last chance: 80 % off everything at {shop}.",
    "Your {shop} payment failed, update your card at {link}.",
    "Free entry in our weekly draw for {prize}.",
    "Text WIN to {number} for {prize}.",
    "Double your savings with this one secret, guaranteed.",
    "Final notice: pay {amount} now to avoid legal action.",
    "Singles near you want to chat, join free at {link}.",
    "A customs fee of {amount} is due, pay at {link}.",
    "Limited offer for selected customers only, act now!",
)
# What honest senders and others write alike: no model can tell these apart by themselves.
EITHER = (
    "Your parcel from {shop} arrives {day}.",
    "Please call back on {number}.",
    "Here is the link: {link}",
    "Reply YES to confirm.",
    "Your code is 4821.",
    "Reminder: {amount} due {day}.",
    "Hi {name}, it's me, this is my new number {number}.",
    "{shop}: sale starts {day}.",
)


def messages(n_messages: int, seed: int) -> tuple[list[str], list[str]]:
    """Write different messages, about a third of them spam; return them and their labels."""
    rng = random.Random(seed)
    labels: dict[str, str] = {}
    while len(labels) < n_messages:
        label = "spam" if rng.random() < SPAM_SHARE else "ham"
        labels.setdefault(_message(label, rng), label)
    return list(labels), list(labels.values())


def _message(label: str, rng: random.Random) -> str:
    """Join one to three phrases; now and then one is of the other kind, as in a friendly scam."""
    own, other = (SPAM, HAM) if label == "spam" else (HAM, SPAM)
    phrases = []
    for _ in range(rng.choice((1, 2, 2, 3))):
        pool = rng.choices((own, EITHER, other), weights=(0.80, 0.17, 0.03))[0]
        filling = {slot: rng.choice(words) for slot, words in WORDS.items()}
        phrases.append(rng.choice(pool).format(**filling))
    return " ".join(phrases)


def train() -> TrainedModel:
    """Train on 3,000 messages and measure on 1,000 others."""
    texts, labels = messages(4000, seed=SEED)
    train_texts, test_texts, train_labels, test_labels = train_test_split(
        texts, np.array(labels), test_size=1000, stratify=labels, random_state=SEED
    )
    estimator = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=10.0, max_iter=1000),
    )
    estimator.fit(train_texts, train_labels)
    predicted = estimator.predict(test_texts)
    precision = precision_score(test_labels, predicted, pos_label="spam")
    recall = recall_score(test_labels, predicted, pos_label="spam")
    return TrainedModel(
        name="spam",
        description="Tells whether a short message is spam (TF-IDF and logistic regression).",
        estimator=estimator,
        sample=test_texts,
        metrics={
            "accuracy": round(float(accuracy_score(test_labels, predicted)), 4),
            "spam_precision": round(float(precision), 4),
            "spam_recall": round(float(recall), 4),
        },
    )
