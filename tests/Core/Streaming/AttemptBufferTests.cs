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
    public void Collect_LittleRoom_TakesWhatFitsAndTheEndWithTheLast()
    {
        AttemptBuffer buffer = Buffer();
        Write(buffer, 0, 1, 2);
        buffer.Ended(new AttemptEnd { Reason = EndReason.Stop });
        MessageRoom room = RoomFor(tokens: 2);

        Chunk first = buffer.Collect(_now, room).ShouldNotBeNull();

        room.IsFull.ShouldBeTrue();
        first.Tokens.ShouldBe([0, 1]);
        first.Bytes.ShouldBe([0, 0, 1, 1]);
        first.End.ShouldBeNull();
        buffer.Collect(_now, room).ShouldBeNull();
        MessageRoom next = RoomFor(tokens: 2);
        Chunk rest = buffer.Collect(_now, next).ShouldNotBeNull();
        rest.Index.ShouldBe(2);
        rest.Tokens.ShouldBe([2]);
        rest.Bytes.ShouldBe([2, 2]);
        rest.End.ShouldNotBeNull();
        next.IsFull.ShouldBeFalse();
        buffer.Collect(_now, RoomFor(tokens: 2)).ShouldBeNull();
    }

    [Fact]
    public void Collect_TokenLargerThanAnyRoom_GoesAloneOnly()
    {
        AttemptBuffer small = Buffer();
        AttemptBuffer large = Buffer();
        Write(small, 0);
        large.Write(0, 7, new byte[10_000]);
        MessageRoom room = RoomFor(tokens: 2);

        small.Collect(_now, room).ShouldNotBeNull();
        large.Collect(_now, room).ShouldBeNull();

        room.IsFull.ShouldBeTrue();
        large.Collect(_now, RoomFor(tokens: 2)).ShouldNotBeNull().Bytes.Length.ShouldBe(10_000);
    }

    [Fact]
    public void Collect_Logprobs_TakeRoomToo()
    {
        AttemptBuffer buffer = Buffer();
        TokenLogprobs logprobs = new(-1, [.. Enumerable.Range(0, 20).Select(token => new TopLogprob(token, [1, 2, 3], -2))]);
        buffer.Write(0, 0, [0], logprobs);
        buffer.Write(1, 1, [1], logprobs);

        buffer.Collect(_now, RoomFor(tokens: 10)).ShouldNotBeNull().Logprobs.ShouldNotBeNull().Length.ShouldBe(1);
    }

    [Fact]
    public void Write_PieceThatNoMessageTakes_IsRefused() =>
        Should.Throw<InvalidOperationException>(() => Buffer().Write(0, 0, new byte[AttemptBuffer.LargestPiece + 1])).Message.ShouldContain("no message");

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

    private static MessageRoom RoomFor(int tokens) => new(tokens * 24);

    private AttemptBuffer Buffer() => new(0, _signals.Add);

    /// <summary>Token i has two bytes of the value i.</summary>
    private static void Write(AttemptBuffer buffer, params int[] tokens)
    {
        foreach (int token in tokens)
            buffer.Write(token, token, [(byte)token, (byte)token]);
    }
}
