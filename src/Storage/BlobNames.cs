using System.Security.Cryptography;
using System.Text;

namespace OllamaMax.Storage;

/// <summary>Parts of blobs' names that are made of any text.</summary>
internal static class BlobNames
{
    /// <summary>Two of them and what stands around them fit into the 1,024 characters of a name.</summary>
    private const int Longest = 400;

    /// <summary>Any text as one segment of a name; a long one by its hash, and none that leads to another folder.</summary>
    public static string Segment(string text)
    {
        string escaped = Uri.EscapeDataString(text);
        // No escaped text has a '='.
        if (escaped.Length > Longest)
            return $"={Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}";
        return escaped is "." or ".." ? $"={escaped.Length}" : escaped;
    }
}
