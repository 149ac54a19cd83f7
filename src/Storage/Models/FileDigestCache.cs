using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>
/// Remembers digests of files by path, size and time of change, one small file each: gigabytes need not be read again only to see
/// that they are published. It is a convenience: what cannot be read or written there is computed again.
/// </summary>
internal sealed partial class FileDigestCache(string? folder, ILogger logger)
{
    /// <summary>Null where the file is new or has changed.</summary>
    public string? Find(FileInfo file)
    {
        if (folder is null)
            return null;
        try
        {
            Remembered? known = JsonSerializer.Deserialize(File.ReadAllBytes(PathFor(file)), FileDigestJson.Default.Remembered);
            return known is not null && known == Describe(file, known.Digest) && ModelDigest.IsValid(known.Digest) ? known.Digest : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            LogUnusable(e, folder);
            return null;
        }
    }

    public void Remember(FileInfo file, string digest)
    {
        if (folder is null)
            return;
        try
        {
            Directory.CreateDirectory(folder);
            File.WriteAllBytes(PathFor(file), JsonSerializer.SerializeToUtf8Bytes(Describe(file, digest), FileDigestJson.Default.Remembered));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogUnusable(e, folder);
        }
    }

    private static Remembered Describe(FileInfo file, string digest) => new(file.FullName, file.Length, file.LastWriteTimeUtc, digest);

    private string PathFor(FileInfo file) =>
        Path.Combine(folder!, ModelDigest.Hex(ModelDigest.Of(Encoding.UTF8.GetBytes(file.FullName)))[..32] + ".json");

    [LoggerMessage(Level = LogLevel.Warning, Message = "Digests cannot be kept in {Folder}; published files are read again each time")]
    private partial void LogUnusable(Exception exception, string folder);

    internal sealed record Remembered(string Path, long Size, DateTime ModifiedAt, string Digest);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(FileDigestCache.Remembered))]
internal sealed partial class FileDigestJson : JsonSerializerContext;
