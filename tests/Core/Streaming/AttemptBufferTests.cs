using OllamaMax.Jobs;
using OllamaMax.Streaming;

namespace OllamaMax.Core.Tests.Streaming;

public sealed class AttemptBufferTests
{
    private readonly List<bool> _signals = [];
    private TimeSpan _now = TimeSpan.FromHours(1);

    [Fact]
    public void Write_FirstToken_CannotWait()
    {
        AttemptBuffer buffer = Buffer();

        Write(buffer, 0, 1);

        _signals.ShouldBe([true, false]);
    }

    [Fact]
    public void Collect_TakesEachTokenOnce()
    {
        AttemptBuffer buffer = Buffer();
        buffer.Started(new AttemptStart(3, 0, default, default));

        Write(buffer, 0, 1);
        Chunk first = buffer.Collect(_now).ShouldNotBeNull();
        Write(buffer, 2);
        Chunk second = buffer.Collect(_now).ShouldNotBeNull();

        first.Tokens.ShouldBe([0, 1]);
        first.Start.ShouldNotBeNull();
        second.Index.ShouldBe(2);
        second.Tokens.ShouldBe([2]);
        second.Bytes.ShouldBe([2, 2]);
        second.Start.ShouldBeNull();
        buffer.Collect(_now).ShouldBeNull();
    }

    [Fact]
    public void Acknowledge_Missing_SendsAgainFromThere()
    {
        AttemptBuffer buffer = Buffer();
        Write(buffer, 0, 1, 2, 3);
        buffer.Collect(_now);

        buffer.Acknowledge(new Ack("n", 2, Missing: true), _now);

        Chunk again = buffer.Collect(_now).ShouldNotBeNull();
        again.Index.ShouldBe(2);
        again.Tokens.ShouldBe([2, 3]);
        again.IsWellFormed.ShouldBeTrue();
    }

    [Fact]
    public void Tick_Unacknowledged_SendsAgainAfterAWhile()
    {
        AttemptBuffer buffer = Buffer();
        Write(buffer, 0, 1);
        buffer.Ended(new AttemptEnd { Reason = EndReason.Stop });
        buffer.Collect(_now);

        buffer.Tick(_now += AttemptBuffer.ResendAfter / 2);
        buffer.Collect(_now).ShouldBeNull();
        buffer.Tick(_now += AttemptBuffer.ResendAfter);

        Chunk again = buffer.Collect(_now).ShouldNotBeNull();
        again.Tokens.ShouldBe([0, 1]);
        again.End.ShouldNotBeNull();
    }

    [Fact]
    public void Tick_EndAloneUnacknowledged_SendsTheEndAgain()
    {
        AttemptBuffer buffer = Buffer();
        Write(buffer, 0, 1);
        buffer.Collect(_now);
        buffer.Acknowledge(new Ack("n", 2), _now);
        buffer.Ended(new AttemptEnd { Reason = EndReason.Stop });
        buffer.Collect(_now);

        buffer.Tick(_now += AttemptBuffer.ResendAfter * 2);

        Chunk again = buffer.Collect(_now).ShouldNotBeNull();
        again.Index.ShouldBe(2);
        again.Tokens.ShouldBeEmpty();
        again.End.ShouldNotBeNull();
        buffer.IsDone.ShouldBeFalse();
    }

    [Fact]
    public void Acknowledge_Ended_IsDone()
    {
        AttemptBuffer buffer = Buffer();
        Write(buffer, 0);
        buffer.Ended(new AttemptEnd { Reason = EndReason.Length });
        buffer.Collect(_now);

        buffer.Acknowledge(new Ack("n", 1, Ended: true), _now);

        buffer.IsDone.ShouldBeTrue();
        buffer.Tick(_now += AttemptBuffer.ResendAfter * 2);
        buffer.Collect(_now).ShouldBeNull();
    }

    [Fact]
    public void NotSent_GoesWithTheNext()
    {
        AttemptBuffer buffer = Buffer();
        Write(buffer, 0, 1);
        Chunk lost = buffer.Collect(_now).ShouldNotBeNull();
        Write(buffer, 2);

        buffer.NotSent(lost);

        buffer.Collect(_now).ShouldNotBeNull().Tokens.ShouldBe([0, 1, 2]);
    }

    [Fact]
    public void Collect_Resumed_BeginsAtTheResumePoint()
    {
        AttemptBuffer buffer = new(5, _signals.Add);
        buffer.Started(new AttemptStart(3, 0, default, default));

        buffer.Write(5, 42, "x"u8);

        Chunk chunk = buffer.Collect(_now).ShouldNotBeNull();
        chunk.Index.ShouldBe(5);
        chunk.Start.ShouldNotBeNull();
    }

    private AttemptBuffer Buffer() => new(0, _signals.Add);

    /// <summary>Token i has two bytes of the value i.</summary>
    private static void Write(AttemptBuffer buffer, params int[] tokens)
    {
        foreach (int token in tokens)
            buffer.Write(token, token, [(byte)token, (byte)token]);
    }
}
