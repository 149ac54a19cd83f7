namespace OllamaMax.Edge.Backup;

/// <summary>What a restore has put there. What was there already, as it is in the backup, counts.</summary>
/// <param name="CreatedAt">When the backup was made.</param>
/// <param name="EdgeVersion">By which version.</param>
/// <param name="UsageDays">Documents of a day and a key.</param>
/// <param name="Models">Names that stand.</param>
/// <param name="Missing">Names that do not, as content of theirs is not in storage: put it there, by a pull or an upload, and restore again.</param>
/// <param name="RevokedWorkers">Workers that were enrolled when the backup was made, and are not let in again because they have been revoked.</param>
/// <param name="LeftOut">Models that could not be read when the backup was made.</param>
internal sealed record RestoreAnswer(
    DateTimeOffset CreatedAt,
    string EdgeVersion,
    int Policies,
    int Drains,
    int Revocations,
    int Keys,
    int Enrolments,
    int UsageDays,
    IReadOnlyList<string> Models,
    IReadOnlyList<MissingModel> Missing,
    IReadOnlyList<string> RevokedWorkers,
    IReadOnlyList<string> LeftOut);

internal sealed record MissingModel(string Name, IReadOnlyList<MissingBlob> Blobs);

internal sealed record MissingBlob(string Digest, long Bytes);
