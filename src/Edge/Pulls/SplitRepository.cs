using System.Text.Json;
using Microsoft.Extensions.Options;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Edge.Pulls;

/// <summary>
/// Split models of Hugging Face, which its registry protocol refuses: they are found in the list of the repository's files, and come by their own addresses
/// (https://huggingface.co/docs/hub/api, <c>/api/models/…/tree</c>).
/// </summary>
internal sealed class SplitRepository(SourceHttp http, SourceRetry retry, IOptions<PullOptions> options, TimeProvider time)
{
    /// <summary>Of a list: some thousands of files.</summary>
    private const int LargestList = 4 << 20;

    /// <summary>What a tag that says nothing means there.</summary>
    private const string UsualQuantization = "Q4_K_M";

    /// <summary>The parts of the quantization that the name's tag is; empty: the repository has none.</summary>
    /// <exception cref="PullException">It cannot be listed, or has several that the tag may mean.</exception>
    public async Task<IReadOnlyList<SourcePart>> FindAsync(ModelName name, CancellationToken cancellationToken)
    {
        Uri list = Address(name, $"/api/models/{name.Namespace}/{name.Name}/tree/main?recursive=true");
        byte[] json = await retry.RunAsync(list, async limited =>
        {
            using HttpResponseMessage response = await http.GetAsync(new(list), limited);
            return await response.ReadAtMostAsync(LargestList, options.Value.Silence, time, limited);
        }, () => 0, cancellationToken);
        Dictionary<string, string?> files = Read(json, list);
        IReadOnlyList<string>[] models =
        [
            .. files.Keys.Select(file => GgufSplit.PartsOf(file)).OfType<IReadOnlyList<string>>().Where(parts => parts.Count > 1 && parts.All(files.ContainsKey)).DistinctBy(parts => parts[0]),
        ];
        return [.. Choose(models, name).Select(file => new SourcePart(Address(name, $"/{name.Namespace}/{name.Name}/resolve/main/{Escape(file)}"), files[file]))];
    }

    private static IReadOnlyList<string> Choose(IReadOnlyList<string>[] models, ModelName name)
    {
        bool isUsual = name.Tag == ModelName.DefaultTag;
        if (isUsual && models.Length == 1)
            return models[0];
        string wanted = isUsual ? UsualQuantization : name.Tag;
        IReadOnlyList<string>[] found = Array.FindAll(models, parts => IsOf(GgufSplit.StemOf(parts[0])!, wanted));
        return found.Length <= 1
            ? found.FirstOrDefault() ?? []
            : throw new PullException($"{name} may be one of {found.Length}, such as {found[0][0]} and {found[1][0]}: pull one of them \"from\" its first part's address");
    }

    /// <summary>Whether the quantization is a word of the file's name: <c>Q4_K</c> is none of <c>model-Q4_K_M</c>.</summary>
    private static bool IsOf(string stem, string quantization) => stem.AsSpan(stem.LastIndexOf('/') + 1) is var file
        && file.EndsWith(quantization, StringComparison.OrdinalIgnoreCase)
        && (file.Length == quantization.Length || file[^(quantization.Length + 1)] is '-' or '.');

    private static Dictionary<string, string?> Read(byte[] bytes, Uri list)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(bytes);
            Dictionary<string, string?> files = [];
            foreach (JsonElement file in json.RootElement.EnumerateArray())
            {
                if (file.GetProperty("path").GetString() is { } path)
                    files[path] = file.TryGetProperty("lfs", out JsonElement lfs) && lfs.TryGetProperty("oid", out JsonElement oid) ? DigestOf(oid.GetString()) : null;
            }
            return files;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new PullException($"{list.Host} answered no list of files", e);
        }
    }

    private static string? DigestOf(string? oid) => $"sha256:{oid}" is var digest && ModelDigest.IsValid(digest) ? digest : null;

    private static string Escape(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    private Uri Address(ModelName name, string path) => new($"{options.Value.BaseOf(name.Host).AbsoluteUri.TrimEnd('/')}{path}");
}
