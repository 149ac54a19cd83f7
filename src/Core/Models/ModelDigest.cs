namespace OllamaMax.Models;

/// <summary>Digests of the form <c>sha256:</c> and 64 lower-case hex digits.</summary>
public static class ModelDigest
{
    private const string Prefix = "sha256:";

    public static bool IsValid(string? digest) => digest is { Length: 71 }
        && digest.StartsWith(Prefix, StringComparison.Ordinal)
        && digest.AsSpan(Prefix.Length).IndexOfAnyExcept("0123456789abcdef") < 0;
}
