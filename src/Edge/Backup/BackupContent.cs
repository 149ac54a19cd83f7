using OllamaMax.Cluster;
using OllamaMax.Security;
using OllamaMax.Storage.Models;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Backup;

/// <summary>
/// What a cluster cannot find out again by itself. Each document is as it was at one moment, not all of them at the same. Not in it: weights, secrets, jobs and their outputs, the audit
/// log, and what is configuration (aliases, tenants' limits, placement).
/// </summary>
internal sealed record BackupContent
{
    public required BackupHeader Header { get; init; }

    /// <summary>Of it policies, drains and revocations are put back. Its epoch is that of another time or place, and never is.</summary>
    public required LeaderDocument<ClusterState> State { get; init; }

    public IReadOnlyList<KeyRecord> Keys { get; init; } = [];

    public IReadOnlyList<EnrolmentRecord> Enrolments { get; init; } = [];

    public IReadOnlyList<ArchivedModel> Models { get; init; } = [];

    /// <summary>The documents behind the sums, so that one that is put back where it is already counts once.</summary>
    public IReadOnlyList<DayUsage> Usage { get; init; } = [];
}

/// <summary>The first line.</summary>
/// <param name="Format">Says that it is one of these files.</param>
/// <param name="Version">Of the file: kinds of lines, and what they hold together.</param>
/// <param name="Schemas">Of what is in the lines, by their kinds.</param>
/// <param name="EdgeVersion">Of the program that wrote it.</param>
/// <param name="LeftOut">Models that could not be read.</param>
internal sealed record BackupHeader(
    string Format, int Version, IReadOnlyDictionary<string, int> Schemas, DateTimeOffset CreatedAt, string EdgeVersion, IReadOnlyList<string> LeftOut);

/// <summary>The last line.</summary>
/// <param name="Lines">Before it.</param>
/// <param name="Sha256">Of all bytes before it, in lower-case hex.</param>
internal sealed record BackupEnd(int Lines, string Sha256);

/// <summary>A model's line.</summary>
internal sealed record BackupModel(string Name, System.Text.Json.JsonElement Manifest, IReadOnlyList<BackupBlob> Blobs);

/// <param name="Content">In base64.</param>
internal sealed record BackupBlob(string Digest, byte[] Content);
