"""Small suites that the tests of the plugin run."""

from __future__ import annotations

#: One test runs a job to its end at one provider and makes a job fail at another.
SUITE = """
import requests

OZOR = "https://ozor.ai/api/v1/videos/generate"
ULAZAI = "https://ulazai.com/api/v1/sora/generate/text-to-video/"

def test_render(screentest):
    headers = {"X-API-Key": screentest.ozor.api_key}
    assert requests.post(OZOR, json={"prompt": "A lamp"}, headers=headers).status_code == 200
    screentest.clock.advance_until_idle()

def test_refusal(screentest):
    headers = {"X-API-Key": screentest.ozor.account(credits=0).api_key}
    assert requests.post(OZOR, json={"prompt": "A lamp"}, headers=headers).status_code == 402

def test_other(screentest):
    headers = {"Authorization": "Token " + screentest.ulazai.api_key}
    answer = requests.post(ULAZAI, json={"prompt": "A lamp"}, headers=headers)
    assert answer.status_code == 201
    screentest.clock.advance_until_idle()
"""
