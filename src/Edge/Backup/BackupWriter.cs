using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using OllamaMax.Cluster;
using OllamaMax.Security;
using OllamaMax.Storage.Models;
using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Edge.Backup;

/// <summary>Writes a backup's lines.</summary>
internal sealed class BackupWriter(ClusterDocuments documents)
{
    public ReadOnlyMemory<byte> Write(BackupContent content)
    {
        ArrayBufferWriter<byte> to = new(1 << 16);
        int lines = 0;
        void Line(string kind, Action<Utf8JsonWriter> value)
        {
            WriteLine(to, kind, value);
            lines++;
        }
        Line(BackupFormat.Header, writer => JsonSerializer.Serialize(writer, content.Header, BackupJson.Default.BackupHeader));
        Line(BackupFormat.State, writer => writer.WriteRawValue(documents.State.Write(content.State)));
        foreach (KeyRecord key in content.Keys)
            Line(BackupFormat.Key, writer => JsonSerializer.Serialize(writer, key, SecurityJson.Default.KeyRecord));
        foreach (EnrolmentRecord enrolment in content.Enrolments)
            Line(BackupFormat.Enrolment, writer => JsonSerializer.Serialize(writer, enrolment, ProtocolJson.Default.EnrolmentRecord));
        foreach (ArchivedModel model in content.Models)
            Line(BackupFormat.Model, writer => JsonSerializer.Serialize(writer, Of(model), BackupJson.Default.BackupModel));
        foreach (DayUsage usage in content.Usage)
            Line(BackupFormat.Usage, writer => JsonSerializer.Serialize(writer, usage, SecurityJson.Default.DayUsage));
        BackupEnd end = new(lines, Convert.ToHexStringLower(SHA256.HashData(to.WrittenSpan)));
        WriteLine(to, BackupFormat.End, writer => JsonSerializer.Serialize(writer, end, BackupJson.Default.BackupEnd));
        return to.WrittenMemory;
    }

    private static void WriteLine(ArrayBufferWriter<byte> to, string kind, Action<Utf8JsonWriter> value)
    {
        using (Utf8JsonWriter writer = new(to))
        {
            writer.WriteStartObject();
            writer.WriteString("kind", kind);
            writer.WritePropertyName("value");
            value(writer);
            writer.WriteEndObject();
        }
        to.Write("\n"u8);
    }

    private static BackupModel Of(ArchivedModel model) =>
        new(model.Name.FullName, JsonElement.Parse(model.Manifest.ToBytes()), [.. model.Blobs.Select(blob => new BackupBlob(blob.Digest, blob.Content.ToArray()))]);
}
