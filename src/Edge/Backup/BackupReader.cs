using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OllamaMax.Cluster;
using OllamaMax.Edge.Http;
using OllamaMax.Models;
using OllamaMax.Security;
using OllamaMax.Storage.Models;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Backup;

/// <summary>Reads a backup whole before anything is done with it. What is wrong with one is an error that says where.</summary>
internal sealed class BackupReader(ClusterDocuments documents)
{
    private static readonly ApiError Foreign = ApiError.BadRequest($"this is no backup: its first line is no {BackupFormat.Name} header");

    public Result<BackupContent> Read(ReadOnlyMemory<byte> file)
    {
        List<ReadOnlyMemory<byte>> lines = Lines(file);
        if (lines.Count == 0 || !TryLine(lines[0], out string kind, out JsonElement value) || kind != BackupFormat.Header || HeaderOf(value) is not { } header)
            return Foreign;
        if (Newer(header) is { } newer)
            return newer;
        if (Broken(file, lines) is { } broken)
            return broken;
        Reading reading = new();
        for (int line = 1; line < lines.Count - 1; line++)
        {
            // The digest was right: a line that cannot be read was written so, by another program or a damaged document.
            if (!TryLine(lines[line], out kind, out value))
                return ApiError.BadRequest($"line {line + 1} of the backup is no line of one");
            try
            {
                Add(reading, kind, value);
            }
            catch (Exception e) when (e is JsonException or FormatException or DocumentException)
            {
                return ApiError.BadRequest($"line {line + 1} of the backup, a {kind}, cannot be read: {e.Message}");
            }
        }
        return reading.State is { } state
            ? new BackupContent { Header = header, State = state, Keys = reading.Keys, Enrolments = reading.Enrolments, Models = reading.Models, Usage = reading.Usage }
            : ApiError.BadRequest("the backup has no line with the cluster's state");
    }

    /// <summary>Without their ends; what comes after the last end is a line too, of a file that was cut.</summary>
    private static List<ReadOnlyMemory<byte>> Lines(ReadOnlyMemory<byte> file)
    {
        List<ReadOnlyMemory<byte>> lines = [];
        while (!file.IsEmpty)
        {
            int end = file.Span.IndexOf((byte)'\n');
            lines.Add(end < 0 ? file : file[..end]);
            file = end < 0 ? default : file[(end + 1)..];
        }
        return lines;
    }

    private static bool TryLine(ReadOnlyMemory<byte> line, out string kind, out JsonElement value)
    {
        (kind, value) = ("", default);
        try
        {
            JsonElement json = JsonElement.Parse(line.Span);
            if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("kind", out JsonElement name) || name.ValueKind != JsonValueKind.String || !json.TryGetProperty("value", out value))
                return false;
            kind = name.GetString()!;
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static BackupHeader? HeaderOf(JsonElement value)
    {
        try
        {
            return value.Deserialize(BackupJson.Default.BackupHeader) is { Format: BackupFormat.Name, Version: > 0 } header ? header : null;
        }
        catch (JsonException)
        {
            // A later version's header may look otherwise: what makes it one is in it all the same.
            return value.ValueKind == JsonValueKind.Object
                && value.TryGetProperty("format", out JsonElement format) && format.ValueEquals(BackupFormat.Name)
                && value.TryGetProperty("version", out JsonElement version) && version.TryGetInt32(out int number) && number > BackupFormat.Version
                ? new(BackupFormat.Name, number, new Dictionary<string, int>(), default, "", [])
                : null;
        }
    }

    private ApiError? Newer(BackupHeader header)
    {
        if (header.Version > BackupFormat.Version)
            return ApiError.BadRequest($"the backup has format {header.Version}, and this edge knows {BackupFormat.Version} at most; upgrade this edge");
        IReadOnlyDictionary<string, int> known = BackupFormat.Schemas(documents.State.Schema);
        foreach (var (kind, schema) in header.Schemas)
        {
            if (schema > known.GetValueOrDefault(kind))
                return ApiError.BadRequest($"the backup holds {kind} of schema {schema}, and this edge knows {known.GetValueOrDefault(kind)} at most; upgrade this edge");
        }
        return null;
    }

    private static ApiError? Broken(ReadOnlyMemory<byte> file, List<ReadOnlyMemory<byte>> lines)
    {
        if (file.Span[^1] != '\n' || !TryLine(lines[^1], out string kind, out JsonElement value) || kind != BackupFormat.End)
            return ApiError.BadRequest($"the backup is cut off: after {lines.Count} lines it has no end line");
        ReadOnlySpan<byte> before = file.Span[..(file.Length - lines[^1].Length - 1)];
        return Is(value, "lines", lines.Count - 1) && value.TryGetProperty("sha256", out JsonElement hash) && hash.ValueKind == JsonValueKind.String
            && hash.ValueEquals(Convert.ToHexStringLower(SHA256.HashData(before)))
            ? null
            : ApiError.BadRequest("the backup is damaged: it is not what its end line says was written");
    }

    private static bool Is(JsonElement value, string name, int expected) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out JsonElement count) && count.ValueKind == JsonValueKind.Number && count.TryGetInt32(out int is_) && is_ == expected;

    private void Add(Reading reading, string kind, JsonElement value)
    {
        switch (kind)
        {
            case BackupFormat.State when reading.State is null:
                reading.State = documents.State.Read(Encoding.UTF8.GetBytes(value.GetRawText()));
                break;
            case BackupFormat.Key:
                reading.Keys.Add(Check(value.Deserialize(SecurityJson.Default.KeyRecord), "no record of a key", key =>
                    ApiKey.IsId(key.Id) && key is { Name: not null, Tenant: not null, Limits: not null, CreatedBy: not null, Secrets.Count: > 0 }
                    && key.Secrets.All(secret => secret is { Salt: not null, Hash: not null })));
                break;
            case BackupFormat.Enrolment:
                reading.Enrolments.Add(Check(value.Deserialize(ProtocolJson.Default.EnrolmentRecord), "no enrolment", enrolment =>
                    enrolment is { Name: not null, PublicKey: not null } && WorkerId.IsValid(enrolment.Id)));
                break;
            case BackupFormat.Model:
                reading.Models.Add(ModelOf(value.Deserialize(BackupJson.Default.BackupModel) ?? throw new FormatException("it is no model")));
                break;
            case BackupFormat.Usage:
                reading.Usage.Add(Check(value.Deserialize(SecurityJson.Default.DayUsage), "no usage of a day", usage =>
                    usage is { Tenant.Length: > 0, IsWhole: true }));
                break;
            default:
                throw new FormatException("no such line is expected here");
        }
    }

    private static T Check<T>(T? value, string otherwise, Predicate<T> isWhole)
        where T : class => value is not null && isWhole(value) ? value : throw new FormatException($"it is {otherwise}");

    private static ArchivedModel ModelOf(BackupModel model)
    {
        if (!ModelName.TryParse(model.Name, out ModelName? name, out string? error))
            throw new FormatException(error);
        ModelManifest manifest = ModelManifest.Parse(Encoding.UTF8.GetBytes(model.Manifest.GetRawText()));
        foreach (BackupBlob blob in model.Blobs)
        {
            if (ModelDigest.Of(blob.Content) != blob.Digest)
                throw new FormatException($"the content of {blob.Digest} is another");
        }
        return new(name, manifest, [.. model.Blobs.Select(blob => new ArchivedBlob(blob.Digest, blob.Content))]);
    }

    private sealed class Reading
    {
        public LeaderDocument<ClusterState>? State { get; set; }

        public List<KeyRecord> Keys { get; } = [];

        public List<EnrolmentRecord> Enrolments { get; } = [];

        public List<ArchivedModel> Models { get; } = [];

        public List<DayUsage> Usage { get; } = [];
    }
}
