using OllamaMax.Streaming;
using OllamaMax.Workers;

namespace OllamaMax.Core.Tests.Workers;

public sealed class StandingOrdersTests
{
    private readonly StandingOrders _orders = new();

    [Fact]
    public void Take_OrderOfAnOlderEpoch_IsRefused()
    {
        _orders.Take(Order(epoch: 5, drain: true)).ShouldBeTrue();

        _orders.Take(Order(epoch: 4, drain: false)).ShouldBeFalse();

        _orders.Rests.ShouldBeTrue();
    }

    [Fact]
    public void Take_OrderOfTheSameOrANewerEpoch_IsCarriedOut()
    {
        _orders.Take(Order(epoch: 5, drain: true));
        _orders.Take(Order(epoch: 5, drain: false)).ShouldBeTrue();
        _orders.Rests.ShouldBeFalse();

        _orders.Take(Order(epoch: 6, drain: true)).ShouldBeTrue();
        _orders.Rests.ShouldBeTrue();
    }

    [Fact]
    public void Take_TheSameAgain_ChangesNothing()
    {
        int changes = 0;
        _orders.Changed += () => changes++;

        _orders.Take(Order(epoch: 5, drain: true));
        _orders.Take(Order(epoch: 5, drain: true));

        changes.ShouldBe(1);
    }

    [Fact]
    public void Admits_OrdersOfOtherKindsToo_NoneOlderThanAnyHeardOf()
    {
        _orders.Admits(5).ShouldBeTrue();
        _orders.Admits(4).ShouldBeFalse();
        _orders.Take(Order(epoch: 4, drain: true)).ShouldBeFalse();
        _orders.Take(Order(epoch: 6, drain: true)).ShouldBeTrue();
        _orders.Admits(5).ShouldBeFalse();
    }

    private static DirectiveMessage Order(long epoch, bool drain) => new(ProtocolVersion.Current, epoch, drain);
}
