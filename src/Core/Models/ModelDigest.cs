using System.Buffers;
using System.Security.Cryptography;

namespace OllamaMax.Models;

/// <summary>Digests as <c>sha256:</c> and 64 lower-case hex digits, and the names of what they address.</summary>
public static class ModelDigest
{
    private const string Prefix = "sha256:";
    private const int HexDigits = 64;
    private static readonly SearchValues<char> LowerHex = SearchValues.Create("0123456789abcdef");

    public static string Of(ReadOnlySpan<byte> content) => Format(SHA256.HashData(content));

    /// <param name="hash">The 32 bytes of a SHA-256.</param>
    public static string Format(ReadOnlySpan<byte> hash) => Prefix + Convert.ToHexStringLower(hash);

    public static bool IsValid(string? digest) => digest is not null
        && digest.Length == Prefix.Length + HexDigits
        && digest.StartsWith(Prefix, StringComparison.Ordinal)
        && digest.AsSpan(Prefix.Length).IndexOfAnyExcept(LowerHex) < 0;

    /// <summary>The 64 hex digits alone.</summary>
    public static string Hex(string digest) => digest[Prefix.Length..];

    /// <summary>As much of it as people tell models apart by: twelve digits.</summary>
    public static string Brief(string digest) => digest[..Math.Min(digest.Length, Prefix.Length + 12)];

    /// <summary>The form for files and blobs: <c>sha256-…</c>. Windows allows no colon.</summary>
    public static string FileName(string digest) => "sha256-" + Hex(digest);
}
