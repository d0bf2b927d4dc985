"""What a notebook shows: a result as a table and a picture, a genome as a picture and in words."""

import evo

result = evo.search("tiny", run="runs/notebook", changes={"models.backend": "simulated"})
shown = evo.show(evo.read_genome(result.folder / "champion.json"))

# In a notebook, `result` or `shown` as a cell's last line is enough; these are what it calls.
print(result._repr_html_()[:60])
print(len(result._repr_png_()), "bytes of PNG")
print(shown._repr_html_()[:60])
print(shown._repr_png_()[:4])
