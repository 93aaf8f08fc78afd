"""Where models come from: catalogues are taken in, models trained, evaluated, compared and promoted."""
