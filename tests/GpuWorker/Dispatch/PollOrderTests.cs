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
