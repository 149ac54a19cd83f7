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
    /// <summary>Null where they are new or have changed.</summary>
    public string? Find(ModelFiles files)
    {
        if (folder is null)
            return null;
        try
        {
            Remembered? known = JsonSerializer.Deserialize(File.ReadAllBytes(PathFor(files)), FileDigestJson.Default.Remembered);
            return known is not null && known == Describe(files, known.Digest) && ModelDigest.IsValid(known.Digest) ? known.Digest : null;
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

    public void Remember(ModelFiles files, string digest)
    {
        if (folder is null)
            return;
        try
        {
            Directory.CreateDirectory(folder);
            File.WriteAllBytes(PathFor(files), JsonSerializer.SerializeToUtf8Bytes(Describe(files, digest), FileDigestJson.Default.Remembered));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogUnusable(e, folder);
        }
    }

    private static Remembered Describe(ModelFiles files, string digest) => new(files.Path, files.Size, files.ModifiedAt, digest);

    private string PathFor(ModelFiles files) =>
        Path.Combine(folder!, ModelDigest.Hex(ModelDigest.Of(Encoding.UTF8.GetBytes(files.Path)))[..32] + ".json");

    [LoggerMessage(Level = LogLevel.Warning, Message = "Digests cannot be kept in {Folder}; published files are read again each time")]
    private partial void LogUnusable(Exception exception, string folder);

    internal sealed record Remembered(string Path, long Size, DateTime ModifiedAt, string Digest);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(FileDigestCache.Remembered))]
internal sealed partial class FileDigestJson : JsonSerializerContext;
