namespace OllamaMax.TaskHub.Instances;

/// <summary>The places of a record where payloads stand.</summary>
internal static class RecordPayloads
{
    public static IEnumerable<Payload> Payloads(this InstanceRecord record)
    {
        IEnumerable<Payload?> all =
        [
            record.Input, record.CustomStatus, record.Output,
            .. record.History.Select(one => one.Data),
            .. record.Inbox.Select(one => one.Data),
            .. record.Outbox.Select(one => one.Data),
        ];
        return all.OfType<Payload>();
    }

    /// <summary>The record with each of these payloads exchanged for another.</summary>
    public static InstanceRecord Exchange(this InstanceRecord record, IReadOnlyDictionary<Payload, Payload> others)
    {
        return others.Count == 0 ? record : record with
        {
            Input = Other(record.Input),
            CustomStatus = Other(record.CustomStatus),
            Output = Other(record.Output),
            History = [.. record.History.Select(InEvent)],
            Inbox = [.. record.Inbox.Select(InEvent)],
            Outbox = [.. record.Outbox.Select(one => one with { Data = Other(one.Data) })],
        };

        Payload? Other(Payload? payload) => payload is not null && others.TryGetValue(payload, out Payload? other) ? other : payload;
        HistoryEvent InEvent(HistoryEvent one) => one.Data is { } data && others.ContainsKey(data) ? one with { Data = others[data] } : one;
    }
}
