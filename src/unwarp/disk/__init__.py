"""Operations on a disk that survive an interruption: renames and locks."""
