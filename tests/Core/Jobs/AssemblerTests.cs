using System.Text;
using CsCheck;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Assembling;

namespace OllamaMax.Core.Tests.Jobs;

public sealed class AssemblerTests
{
    [Fact]
    public void Append_CharacterCutInHalves_HeldBackUntilWhole()
    {
        Assembler assembler = new([]);
        byte[] emoji = "😀"u8.ToArray();

        assembler.Append(emoji.AsSpan(0, 1)).Text.ShouldBe("");
        assembler.Append(emoji.AsSpan(1, 2)).Text.ShouldBe("");
        assembler.Append(emoji.AsSpan(3)).Text.ShouldBe("😀");
        assembler.Tokens.ShouldBe(3);
    }

    [Fact]
    public void Complete_HalfCharacterLeft_BecomesReplacement()
    {
        Assembler assembler = new([]);

        assembler.Append([.. "ab"u8, 0xF0, 0x9F]).Text.ShouldBe("ab");
        assembler.Complete().Text.ShouldBe("\uFFFD");
        assembler.Complete().Text.ShouldBe("");
    }

    [Fact]
    public void Append_InvalidBytes_BecomeReplacements()
    {
        Assembler assembler = new([]);

        assembler.Append([0xFF, (byte)'a', 0xC0, 0x80]).Text.ShouldBe("\uFFFDa\uFFFD\uFFFD");
    }

    [Fact]
    public void Append_StopStringAcrossPieces_CutsBeforeItAndIgnoresTheRest()
    {
        Assembler assembler = new(["</end>"]);

        assembler.Append("one </"u8).Text.ShouldBe("one ");
        assembler.Append("en"u8).Text.ShouldBe("");
        assembler.StoppedBy.ShouldBeNull();
        assembler.Append("d> two"u8).Text.ShouldBe("");
        assembler.StoppedBy.ShouldBe("</end>");
        assembler.Append("three"u8).Text.ShouldBe("");
        assembler.Complete().Text.ShouldBe("");
        assembler.Tokens.ShouldBe(3);
    }

    [Fact]
    public void Append_StopStringThatWasNone_GivesBackWhatWasHeld()
    {
        Assembler assembler = new(["stop"]);

        assembler.Append("a sto"u8).Text.ShouldBe("a ");
        assembler.Append("ne"u8).Text.ShouldBe("stone");
        assembler.Append(" st"u8).Text.ShouldBe(" ");
        assembler.Complete().Text.ShouldBe("st");
    }

    [Fact]
    public void Append_StopStringsThatOverlap_FirstToBeCompleteWins()
    {
        Assembler first = new(["abcd", "bc"]);
        first.Append("xabcd"u8).Text.ShouldBe("xa");
        first.StoppedBy.ShouldBe("bc");

        Assembler longer = new(["c", "abc"]);
        longer.Append("xabcd"u8).Text.ShouldBe("x");
        longer.StoppedBy.ShouldBe("abc");
    }

    [Fact]
    public void Append_StopStringRepeatingItsOwnBeginning_IsFound()
    {
        Assembler assembler = new(["aab"]);

        string text = string.Concat("aaab"u8.ToArray().Select(b => assembler.Append([b]).Text));

        text.ShouldBe("a");
        assembler.StoppedBy.ShouldBe("aab");
    }

    [Fact]
    public void Append_ChunkWithTokensAfterTheStop_CountsOnlyUpToIt()
    {
        Assembler assembler = new(["!"]);

        assembler.Append(new Chunk(0, [1, 2, 3], [1, 1, 1], "a!b"u8.ToArray())).Text.ShouldBe("a");
        assembler.Tokens.ShouldBe(2);
    }

    [Fact]
    public void Append_ChunkOutOfOrder_Throws()
    {
        Assembler assembler = new([]);

        Should.Throw<ArgumentException>(() => assembler.Append(new Chunk(1, [1], [1], [65])));
        Should.Throw<ArgumentException>(() => assembler.Append(new Chunk(0, [1], [2], [65])));
    }

    [Fact]
    public void Append_AnyBytesCutAnywhere_SameTextAsAtOnce()
    {
        Gen.Select(GenBytes, Gen.Int[0, 6].Array[0, 40]).Sample((bytes, cuts) =>
            Assemble([], bytes, cuts).Text.ShouldBe(Encoding.UTF8.GetString(bytes)));
    }

    [Fact]
    public void Append_AnyStopStringsCutAnywhere_SameTextAndStopAsByteByByte()
    {
        Gen<string> stop = Gen.OneOf("a", "ab", "ba", "aab", "é", "é😀", "😀a", "");
        Gen.Select(GenBytes, Gen.Int[0, 6].Array[0, 40], stop.Array[0, 3]).Sample((bytes, cuts, stops) =>
        {
            (string Text, string? Stop) whole = Assemble(stops, bytes, [bytes.Length]);
            Assemble(stops, bytes, cuts).ShouldBe(whole);
            Assemble(stops, bytes, [.. Enumerable.Repeat(1, bytes.Length)]).ShouldBe(whole);
            if (stops.Any(s => s.Length > 0))
                stops.ShouldAllBe(s => s.Length == 0 || !whole.Text.Contains(s, StringComparison.Ordinal));
        });
    }

    [Fact]
    public void Append_TokensFedAgain_SameStateAsBefore()
    {
        Gen.Select(GenBytes, GenBytes).Sample((before, after) =>
        {
            Assembler lived = new(["aab"]);
            foreach (byte b in before)
                lived.Append([b]);
            Assembler rebuilt = new(["aab"]);
            rebuilt.Append(new Chunk(0, new int[before.Length], [.. before.Select(_ => 1)], before));

            string expected = (lived.Append(after) + lived.Complete()).Text;
            (rebuilt.Append(after) + rebuilt.Complete()).Text.ShouldBe(expected);
            rebuilt.Tokens.ShouldBe(lived.Tokens);
        });
    }

    /// <summary>Few letters, so that stop strings happen; whole, half and impossible characters between them.</summary>
    private static readonly Gen<byte[]> GenBytes =
        Gen.OneOf<byte[]>("a"u8.ToArray(), "b"u8.ToArray(), "é"u8.ToArray(), "😀"u8.ToArray(), [0xF0, 0x9F], [0xC3], [0x80], [0xFF], [0xED, 0xA0])
            .Array[0, 20].Select(parts => parts.SelectMany(p => p).ToArray());

    private static (string Text, string? Stop) Assemble(string[] stops, byte[] bytes, int[] cuts)
    {
        Assembler assembler = new(stops);
        StringBuilder text = new();
        int at = 0;
        foreach (int cut in cuts)
        {
            int length = Math.Min(cut, bytes.Length - at);
            text.Append(assembler.Append(bytes.AsSpan(at, length)).Text);
            at += length;
        }
        text.Append((assembler.Append(bytes.AsSpan(at)) + assembler.Complete()).Text);
        return (text.ToString(), assembler.StoppedBy);
    }
}
