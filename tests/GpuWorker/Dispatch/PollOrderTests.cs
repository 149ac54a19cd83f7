using OllamaMax.GpuWorker.Dispatch;
using OllamaMax.Jobs;

namespace OllamaMax.GpuWorker.Tests.Dispatch;

public sealed class PollOrderTests
{
    private readonly PollOrder _order = new();

    [Fact]
    public void Take_OneIsPutBackEachTime_TheOthersHaveTheirTurn()
    {
        _order.Add("a", Band.Interactive, "a1");
        _order.Add("b", Band.Interactive, "b1");

        string[] taken = [.. Enumerable.Range(0, 4).Select(_ => TakeAndPutBack())];

        taken.ShouldBe(["a1", "b1", "a1", "b1"]);

        string TakeAndPutBack()
        {
            var (model, band, url) = _order.Take().ShouldNotBeNull();
            _order.PutBack(model, band, url);
            return url;
        }
    }

    [Fact]
    public void Take_InteractiveComesLast_GoesFirst()
    {
        _order.Add("a", Band.Batch, "a1");
        _order.Add("b", Band.Interactive, "b1");

        _order.Take().ShouldNotBeNull().Url.ShouldBe("b1");
        _order.Take().ShouldNotBeNull().Url.ShouldBe("a1");
        _order.Take().ShouldBeNull();
    }

    /// <summary>A worker with hundreds of models looks into all of their queues now and then: who waits must not wait for that, nor that for a lasting backlog.</summary>
    [Fact]
    public void Take_SomethingIsKnownOfOne_ItTakesTurnsWithThoseLookedIntoUnasked()
    {
        foreach (string model in (string[])["a", "b", "c", "d"])
            _order.AddUnasked(model, Band.Interactive, model);
        _order.Add("d", Band.Interactive, "d2");
        _order.AddUnasked("e", Band.Batch, "e");

        List<string> taken = [];
        for (int i = 0; i < 5; i++)
        {
            var (model, band, url) = _order.Take().ShouldNotBeNull();
            taken.Add(url);
            if (model == "d")
                _order.PutBack(model, band, url);
        }

        taken.ShouldBe(["d2", "a", "d2", "b", "d2"]);
    }

    [Fact]
    public void Add_IsThereAlready_KeepsItsPlaceAndHasTheNewerAddress()
    {
        _order.Add("a", Band.Interactive, "a1");
        _order.Add("b", Band.Interactive, "b1");
        _order.Add("a", Band.Interactive, "a2");
        _order.PutBack("a", Band.Interactive, "a1");

        _order.Take().ShouldNotBeNull().Url.ShouldBe("a2");
    }
}
