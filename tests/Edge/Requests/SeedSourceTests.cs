using System.Security.Cryptography;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.Tests.Requests;

public sealed class SeedSourceTests
{
    [Fact]
    public void Draw_GivenChance_IsItsBytes()
    {
        using FixedBytes chance = new();

        new SeedSource(chance).Draw().ShouldBe(0x0807060504030201UL);
    }

    private sealed class FixedBytes : RandomNumberGenerator
    {
        public override void GetBytes(byte[] data) => GetBytes(data.AsSpan());

        public override void GetBytes(Span<byte> data)
        {
            for (int i = 0; i < data.Length; i++)
                data[i] = (byte)(i + 1);
        }
    }
}
