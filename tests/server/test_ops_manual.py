# SPDX-License-Identifier: MIT
"""The manual page says what the program says of itself."""
import os
import re
import shutil
import subprocess
import unittest

PAGE = os.path.join(os.path.dirname(__file__), "../../examples/apikeysd/apikeysd.8.in")


class Manual(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        with open(PAGE, encoding="ascii") as file:
            cls.text = file.read()

    def test_has_every_setting(self):
        told = subprocess.check_output([os.environ["APIKEYSD"], "--help"], text=True)
        settings = re.findall(r"^  --(\S+)(?: ([A-Z[][^ ]*))? ", told, re.MULTILINE)
        self.assertGreater(len(settings), 25)
        described = re.findall(r'^\.BR \\-\\-(\S+)(?: " \\fI(.*)\\fR")?$', self.text, re.MULTILINE)
        plain = [(name.replace("\\-", "-"), argument.replace("\\-", "-"))
                 for name, argument in described]
        self.assertEqual(sorted(plain), sorted(settings))

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_is_well_formed(self):
        said = subprocess.run(["groff", "-man", "-ww", "-Tascii", PAGE], capture_output=True,
                              text=True, check=True)
        self.assertEqual(said.stderr, "")
        self.assertIn("self-service API keys over HTTP", said.stdout)


if __name__ == "__main__":
    unittest.main()
