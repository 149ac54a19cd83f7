using System.Security.Cryptography;
using System.Text;
using OllamaMax.Models;

namespace OllamaMax.Core.Tests.Models;

/// <summary>Vectors of NIST (https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values), and the platform's own.</summary>
public sealed class ResumableSha256Tests
{
    [Theory]
    [InlineData("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    [InlineData("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")]
    public void GetHash_Vector_IsAsPublished(string text, int times, string hash)
    {
        ResumableSha256 sha = new();
        for (int i = 0; i < times; i++)
            sha.Append(Encoding.ASCII.GetBytes(text));

        Convert.ToHexStringLower(sha.GetHash()).ShouldBe(hash);
    }

    [Fact]
    public void FromBytes_StateOfAnyLength_GoesOn()
    {
        byte[] bytes = new byte[300];
        new Random(1).NextBytes(bytes);
        for (int length = 0; length <= bytes.Length; length++)
        {
            int kept = length / 3;
            ResumableSha256 first = new();
            first.Append(bytes.AsSpan(0, kept));
            ResumableSha256 second = ResumableSha256.FromBytes(first.ToBytes());
            second.Length.ShouldBe(kept);
            second.Append(bytes.AsSpan(kept, length - kept));

            second.GetHash().ShouldBe(SHA256.HashData(bytes.AsSpan(0, length)));
            second.GetHash().ShouldBe(SHA256.HashData(bytes.AsSpan(0, length)), "asking changes nothing");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(39)]
    [InlineData(41)]
    public void FromBytes_WhatIsNoState_IsRefused(int length) => Should.Throw<FormatException>(() => ResumableSha256.FromBytes(new byte[length]));
}
