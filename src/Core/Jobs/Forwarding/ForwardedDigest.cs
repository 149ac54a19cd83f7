using System.Security.Cryptography;
using System.Text;
using OllamaMax.Models;

namespace OllamaMax.Jobs.Forwarding;

/// <summary>
/// What stands for the digest of the weights of a model that workers forward to: the same for every box whose server calls the same model by the same
/// name. It says of itself what it is: the last 16 digits follow from the 48 before them, as with real weights by a chance of 2^-64. So whoever has a job,
/// a queue or a nudge knows that no worker can fetch this model, and that only those that offer it can run it.
/// </summary>
public static class ForwardedDigest
{
    private const int Own = 24;

    /// <param name="kind">What speaks there, such as <c>ollama</c>.</param>
    /// <param name="name">The server's name for the model.</param>
    /// <param name="upstream">The server's own digest, where it has one.</param>
    public static string Of(string kind, string name, string? upstream)
    {
        byte[] hash = Hash($"{kind}\n{name}\n{upstream}");
        Mark(hash.AsSpan(0, Own)).CopyTo(hash.AsSpan(Own));
        return ModelDigest.Format(hash);
    }

    public static bool Is(string digest)
    {
        if (!ModelDigest.IsValid(digest))
            return false;
        ReadOnlySpan<byte> hash = Convert.FromHexString(ModelDigest.Hex(digest));
        return Mark(hash[..Own]).SequenceEqual(hash[Own..]);
    }

    private static ReadOnlySpan<byte> Mark(ReadOnlySpan<byte> own) => Hash($"forwarded\n{Convert.ToHexStringLower(own)}").AsSpan(Own);

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
