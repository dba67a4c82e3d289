"""What a person does with the one-click app, done in a browser."""


def test_opens_on_samples_with_results(open_app, shoot):
    page = open_app()
    shoot(page, "first")
    assert page.locator(".u2-tile").count() == 4
