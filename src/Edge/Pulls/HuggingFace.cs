using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace OllamaMax.Edge.Pulls;

/// <summary>Hugging Face, which has two hosts.</summary>
internal static class HuggingFace
{
    public const string Host = "huggingface.co";

    private static readonly string[] Hosts = ["hf.co", Host];

    public static bool Has(string host) => Hosts.Contains(host, StringComparer.OrdinalIgnoreCase);

    /// <summary>The page of the repository that an address belongs to: there its terms are accepted. Null: none can be told.</summary>
    public static Uri? PageOf(Uri address)
    {
        if (!Has(address.Host))
            return null;
        string[] path = address.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries);
        path = path switch
        {
            ["v2", .. string[] repository] => repository,
            ["api", "models", .. string[] repository] => repository,
            _ => path,
        };
        return path.Length > 2 ? new Uri($"https://{Host}/{path[0]}/{path[1]}") : null;
    }

    /// <summary>The file itself, where the address is that of a page that shows it, as browsers have it; any other address as it is.</summary>
    public static Uri FileOf(Uri address)
    {
        if (!Has(address.Host) || address.Segments is not ["/", var owner, var name, .. var rest])
            return address;
        string? path = rest switch
        {
            ["blob/" or "raw/", .. { Length: > 1 } file] => string.Concat(file),
            [] => ShownFile(address, "main"),
            ["tree/", var revision, ..] => ShownFile(address, revision.TrimEnd('/')),
            _ => null,
        };
        return path is null ? address : new($"{address.GetLeftPart(UriPartial.Authority)}/{owner}{name.TrimEnd('/')}/resolve/{path}");
    }

    private static string? ShownFile(Uri address, string revision) => QueryHelpers.ParseQuery(address.Query).TryGetValue("show_file_info", out StringValues shown) && shown is [{ Length: > 0 } file]
        ? $"{revision}/{string.Join('/', file.Split('/').Select(Uri.EscapeDataString))}"
        : null;
}
