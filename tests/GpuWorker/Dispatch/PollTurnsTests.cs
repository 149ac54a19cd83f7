using OllamaMax.GpuWorker.Dispatch;

namespace OllamaMax.GpuWorker.Tests.Dispatch;

public sealed class PollTurnsTests
{
    private readonly PollTurns _turns = new(most: 2);

    [Fact]
    public void Next_MoreThanAreTakenAtATime_TakeTurns()
    {
        string[] queues = ["a", "b", "c", "d", "e"];

        _turns.Next(queues).ShouldBe(["a", "b"]);
        _turns.Next(queues).ShouldBe(["c", "d"]);
        _turns.Next(queues).ShouldBe(["e", "a"]);
        _turns.Next(queues).ShouldBe(["b", "c"]);
    }

    [Fact]
    public void Next_Few_AllEachTimeAndNoneTwice()
    {
        _turns.Next(["a"]).ShouldBe(["a"]);
        _turns.Next(["a"]).ShouldBe(["a"]);
        _turns.Next<string>([]).ShouldBeEmpty();
        _turns.Next(["a", "b"]).ShouldBe(["a", "b"], ignoreOrder: true);
    }

    [Fact]
    public void Next_HaveBecomeFewer_GoesOnAmongThem()
    {
        _turns.Next(["a", "b", "c", "d", "e"]);
        _turns.Next(["a", "b", "c", "d", "e"]);

        _turns.Next(["a", "b", "c"]).ShouldBe(["b", "c"]);
    }
}
