"""Folders of HDL that check themselves without Python."""
