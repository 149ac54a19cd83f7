using System.Text;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;
using OllamaMax.Security;
using OllamaMax.TestKit;

namespace OllamaMax.Core.Tests.Jobs.Records;

/// <summary>An output whose chunks are encrypted.</summary>
public sealed class SealedOutputTests
{
    private readonly ContentSeal _seal = ContentKeyTexts.Keys("k1").Of("k1", ContentKind.Job, "a job");

    [Fact]
    public void Read_WithTheKey_IsWhatWasWritten()
    {
        OutputLog log = new(Find);
        byte[] lines = [.. Begin(1), .. Sealed(1, 0, "ab"), .. Begin(2), .. Sealed(2, 2, "c", EndReason.Stop)];

        IReadOnlyList<Chunk> chunks = log.Read(lines);

        Text(chunks).ShouldBe("abc");
        chunks[^1].End.ShouldBe(log.End);
        log.Tokens.ShouldBe("abc".Select(letter => (int)letter));
        log.Facts.ShouldBe(new OutputFacts { Attempt = 2, From = 2, Tokens = 3, End = log.End });
        Encoding.UTF8.GetString(lines).ShouldNotContain("\"tokens\"");
    }

    [Fact]
    public void Read_WithoutTheKey_KnowsHowFarItIsAndHowItEnded()
    {
        OutputLog log = new(_ => null);

        log.Read([.. Begin(1), .. Sealed(1, 0, "ab"), .. Sealed(1, 2, "c", EndReason.Stop)]).ShouldBeEmpty();

        log.MissingKey.ShouldBe("k1");
        log.Tokens.ShouldBeEmpty();
        log.Count.ShouldBe(3);
        log.Facts.ShouldBe(new OutputFacts { Attempt = 1, Tokens = 3, End = log.End });
        log.End!.Reason.ShouldBe(EndReason.Stop);
    }

    [Fact]
    public void Read_BegunBeforeContentWasEncrypted_GoesOnAfterIt()
    {
        OutputLog log = new(Find);

        Text(log.Read([.. Begin(1, key: null), .. Plain(1, 0, "ab"), .. Begin(2), .. Sealed(2, 2, "c")])).ShouldBe("abc");

        log.MissingKey.ShouldBeNull();
    }

    [Fact]
    public void Read_ChunksThatAreNotWhatTheAttemptBeganWith_DoNotCount()
    {
        OutputLog log = new(Find);

        Text(log.Read([.. Begin(1), .. Plain(1, 0, "x"), .. Sealed(1, 0, "a")])).ShouldBe("a");
        Text(log.Read([.. Begin(2, key: null), .. Sealed(2, 1, "x"), .. Plain(2, 1, "b")])).ShouldBe("b");
    }

    [Fact]
    public void Read_ChunksOfAnotherPlace_DoNotCount()
    {
        OutputLog log = new(Find);
        SealedChunk ofAttempt1 = SealedChunk.Of(1, Chunk(0, "x"), _seal);
        SealedChunk ofAnother = SealedChunk.Of(2, Chunk(0, "x"), ContentKeyTexts.Keys("k1").Of("k1", ContentKind.Job, "another job"));

        Text(log.Read(
        [
            .. Begin(2), .. Line(2, ofAttempt1), .. Line(2, ofAnother), .. Line(2, SealedChunk.Of(2, Chunk(5, "x"), _seal) with { Index = 0 }),
            .. Line(2, SealedChunk.Of(2, Chunk(0, "xy"), _seal) with { Count = 1 }), .. Sealed(2, 0, "a"),
        ])).ShouldBe("a");
    }

    private ContentSeal? Find(string key) => key == _seal.KeyId ? _seal : null;

    private static byte[] Begin(int attempt, string? key = "k1") => OutputLog.Write(new OutputLine(attempt) { Begin = new OutputBegin($"w{attempt}", 0, key) });

    private byte[] Sealed(int attempt, int index, string text, EndReason? end = null) => Line(attempt, SealedChunk.Of(attempt, Chunk(index, text, end), _seal));

    private static byte[] Line(int attempt, SealedChunk chunk) => OutputLog.Write(new OutputLine(attempt) { Sealed = chunk });

    private static byte[] Plain(int attempt, int index, string text) => OutputLog.Write(new OutputLine(attempt) { Chunk = Chunk(index, text) });

    private static Chunk Chunk(int index, string text, EndReason? end = null) =>
        new(index, [.. text.Select(c => (int)c)], [.. text.Select(_ => 1)], Encoding.ASCII.GetBytes(text))
        {
            End = end is { } reason ? new AttemptEnd { Reason = reason } : null,
        };

    private static string Text(IEnumerable<Chunk> chunks) => string.Concat(chunks.Select(chunk => Encoding.UTF8.GetString(chunk.Bytes)));
}
