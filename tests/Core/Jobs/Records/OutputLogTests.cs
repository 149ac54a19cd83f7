using System.Text;
using CsCheck;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Core.Tests.Jobs.Records;

public sealed class OutputLogTests
{
    [Fact]
    public void Read_LinesOfAnOvertakenAttempt_AreIgnored()
    {
        OutputLog log = new();

        IReadOnlyList<Chunk> chunks = log.Read([.. Begin(1), .. Tokens(1, 0, "a"), .. Begin(2), .. Tokens(1, 1, "x"), .. Tokens(2, 1, "b", EndReason.Stop)]);

        Text(chunks).ShouldBe("ab");
        log.Facts.ShouldBe(new OutputFacts { Attempt = 2, From = 1, Tokens = 2, End = log.End });
        log.End!.Reason.ShouldBe(EndReason.Stop);
    }

    [Fact]
    public void Read_AfterAFence_NothingOfTheFencedAttemptsCounts()
    {
        OutputLog log = new();
        JobError cancelled = new(JobErrorKind.Cancelled, "cancelled");

        log.Read([.. Begin(1), .. Tokens(1, 0, "a"), .. OutputLog.Write(new OutputLine(1) { Fence = cancelled })]);
        IReadOnlyList<Chunk> late = log.Read([.. Tokens(1, 1, "b"), .. Begin(1)]);

        late.ShouldBeEmpty();
        log.Fence.ShouldBe(cancelled);
        log.IsOpenTo(1).ShouldBeFalse();
        log.IsOpenTo(2).ShouldBeTrue();
    }

    [Fact]
    public void Read_BegunAfterAFence_IsOpenAgain()
    {
        OutputLog log = new();

        log.Read([.. Begin(1), .. Tokens(1, 0, "a"), .. OutputLog.Write(new OutputLine(1) { Fence = new(JobErrorKind.Failed, "poison") }), .. Begin(2)]);

        log.Fence.ShouldBeNull();
        log.Attempt.ShouldBe(2);
        log.From.ShouldBe(1);
    }

    [Fact]
    public void Read_BegunAfterTheAnswer_ItIsStillTheAnswerAndWhatItTookCountsOnce()
    {
        OutputLog log = new();
        Chunk last = new(1, [], [], []) { End = new AttemptEnd { Reason = EndReason.Stop, EvalDuration = TimeSpan.FromSeconds(3) } };

        log.Read([.. Begin(1), .. Tokens(1, 0, "a"), .. OutputLog.Write(new OutputLine(1) { Chunk = last }), .. Begin(2)]);

        log.End.ShouldBeNull();
        log.Answer.ShouldNotBeNull();
        log.Facts.End!.Reason.ShouldBe(EndReason.Stop);
        (log.Facts.EvalBefore + log.Facts.End.EvalDuration).ShouldBe(TimeSpan.FromSeconds(3));
    }

    [Fact]
    public void Read_PiecesWithoutTokenIds_NobodyCanGoOn()
    {
        OutputLog log = new();
        Chunk piece = new(0, [PieceKind.Text], [1], [65]);

        log.Read([.. Begin(1), .. OutputLog.Write(new OutputLine(1) { Chunk = piece })]);

        log.Facts.IsContinuable.ShouldBeFalse();
        log.Facts.Tokens.ShouldBe(1);
    }

    [Theory]
    [InlineData("no json\n")]
    [InlineData("{}\n")]
    [InlineData("null\n")]
    [InlineData("""{"attempt":1,"chunk":{"index":0,"tokens":[1],"lengths":[5],"bytes":"YQ=="}}""" + "\n")]
    public void Read_WhatIsNoLineOfOurs_IsSkipped(string garbage)
    {
        OutputLog log = new();

        IReadOnlyList<Chunk> chunks = log.Read([.. Begin(1), .. Encoding.UTF8.GetBytes(garbage), .. Tokens(1, 0, "a")]);

        Text(chunks).ShouldBe("a");
    }

    [Fact]
    public void Read_CutAnywhere_IsTheSame()
    {
        byte[] all = [.. Begin(1), .. Tokens(1, 0, "ab"), .. Begin(2), .. Tokens(2, 2, "cd", EndReason.Stop)];

        Gen.Int[0, all.Length].Sample(cut =>
        {
            OutputLog log = new();
            List<Chunk> chunks = [.. log.Read(all.AsSpan(0, cut))];
            // What was half read is read again, from the last whole line on.
            chunks.AddRange(log.Read(all.AsSpan((int)log.Length)));
            return Text(chunks) == "abcd" && log.Length == all.Length;
        });
    }

    [Fact]
    public void Replay_CutIntoChunksOfAnySize_IsTheSame()
    {
        const string answer = "Grüße 🙂, dies ist ein STOPP und mehr";
        byte[] bytes = Encoding.UTF8.GetBytes(answer);
        Chunk[] single = [.. bytes.Select((b, i) => new Chunk(i, [i], [1], [b]))];
        Job job = NewJob("STOPP");
        AnswerReplay all = new(job);
        foreach (Chunk chunk in single)
            all.Append(chunk);
        string expected = answer[..answer.IndexOf("STOPP", StringComparison.Ordinal)];

        Gen.Int[1, bytes.Length].Sample(size =>
        {
            StringBuilder text = new();
            AnswerReplay replay = new(job);
            for (int i = 0; i < bytes.Length; i += size)
            {
                byte[] part = bytes[i..Math.Min(bytes.Length, i + size)];
                text.Append(replay.Append(new Chunk(i, [.. part.Select((_, j) => i + j)], [.. part.Select(_ => 1)], part)).Text);
            }
            return text.ToString() == expected && replay.IsStopped && replay.Tokens == all.Tokens;
        });
    }

    [Fact]
    public void Until_AndFrom_AreTheWholeChunk()
    {
        Chunk chunk = new(3, [7, 8, 9], [1, 2, 1], [1, 2, 3, 4]);

        Chunk head = chunk.Until(5), tail = chunk.From(5);

        head.Tokens.ShouldBe([7, 8]);
        head.Bytes.ShouldBe([1, 2, 3]);
        tail.Index.ShouldBe(5);
        tail.Bytes.ShouldBe([4]);
        head.IsWellFormed.ShouldBeTrue();
    }

    private static byte[] Begin(int attempt) => OutputLog.Write(new OutputLine(attempt) { Begin = new OutputBegin($"w{attempt}", 0) });

    private static byte[] Tokens(int attempt, int index, string text, EndReason? end = null)
    {
        Chunk chunk = new(index, [.. text.Select(c => (int)c)], [.. text.Select(_ => 1)], Encoding.ASCII.GetBytes(text))
        {
            End = end is { } reason ? new AttemptEnd { Reason = reason } : null,
        };
        return OutputLog.Write(new OutputLine(attempt) { Chunk = chunk });
    }

    private static string Text(IEnumerable<Chunk> chunks) => string.Concat(chunks.Select(chunk => Encoding.UTF8.GetString(chunk.Bytes)));

    private static Job NewJob(params string[] stop) => new()
    {
        Id = "j",
        RequestId = "r",
        Tenant = "t",
        Model = "sha256:0",
        Prompt = "hi",
        Options = new InferenceOptions(),
        Seed = 1,
        Stop = stop,
        Deadline = TimeSpan.FromMinutes(10),
    };
}
