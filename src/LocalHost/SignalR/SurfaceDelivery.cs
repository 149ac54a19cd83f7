namespace OllamaMax.LocalHost.SignalR;

/// <summary>Brings messages to the connections of their destination, by way of the fault mode.</summary>
internal sealed class SurfaceDelivery(SignalRFaults faults, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(SurfaceHub, Destination), Held> _held = [];

    public void Deliver(SurfaceHub hub, Destination to, SurfaceMessage message, FaultPlan plan)
    {
        if (plan.Drop)
            return;
        if (plan.Delay > TimeSpan.Zero)
            _ = DeliverLaterAsync(hub, to, message, plan);
        else
            Pass(hub, to, message, plan);
    }

    private async Task DeliverLaterAsync(SurfaceHub hub, Destination to, SurfaceMessage message, FaultPlan plan)
    {
        await Task.Delay(plan.Delay, time);
        Pass(hub, to, message, plan);
    }

    /// <summary>Holds the message back, or sends it and after it the one that waited for it.</summary>
    private void Pass(SurfaceHub hub, Destination to, SurfaceMessage message, FaultPlan plan)
    {
        Held? waited;
        lock (_lock)
        {
            if (!_held.Remove((hub, to), out waited) && plan.HoldBack is { } atMost)
            {
                Held held = new(message, plan);
                _held[(hub, to)] = held;
                _ = ReleaseAsync(hub, to, held, atMost);
                return;
            }
        }
        Send(hub, to, message, plan);
        if (waited is not null)
            Send(hub, to, waited.Message, waited.Plan);
    }

    private async Task ReleaseAsync(SurfaceHub hub, Destination to, Held held, TimeSpan after)
    {
        await Task.Delay(after, time);
        lock (_lock)
        {
            // Somebody else's by now: this one has gone with the message that it waited for.
            if (!_held.TryGetValue((hub, to), out Held? current) || current != held)
                return;
            _held.Remove((hub, to));
        }
        Send(hub, to, held.Message, held.Plan);
    }

    private void Send(SurfaceHub hub, Destination to, SurfaceMessage message, FaultPlan plan)
    {
        for (int times = plan.Duplicate ? 2 : 1; times > 0; times--)
        {
            foreach (SurfaceConnection connection in hub.Find(to))
            {
                if (faults.IsReconnectDue(connection.Send(message)))
                    Cut(hub, connection);
            }
        }
    }

    private static void Cut(SurfaceHub hub, SurfaceConnection connection)
    {
        if (connection.User is not { } user)
        {
            connection.Abort();
            return;
        }
        foreach (SurfaceConnection each in hub.Find(new(DestinationKind.User, user)))
            each.Abort();
    }

    // A class, not a record: two held messages are never the same one.
    private sealed class Held(SurfaceMessage message, FaultPlan plan)
    {
        public SurfaceMessage Message { get; } = message;

        public FaultPlan Plan { get; } = plan;
    }
}
