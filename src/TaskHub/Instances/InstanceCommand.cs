namespace OllamaMax.TaskHub.Instances;

/// <summary>What may happen to an orchestration from outside its code. All of them may come twice.</summary>
internal abstract record InstanceCommand
{
    /// <summary>An activity or a sub-orchestration of this generation has ended.</summary>
    public sealed record Complete(int Generation, int TaskId, Payload? Output) : InstanceCommand;

    public sealed record Fail(int Generation, int TaskId, TaskFailure Failure) : InstanceCommand;

    /// <summary>Time has passed: timers that are due fire.</summary>
    public sealed record Tick : InstanceCommand;

    /// <param name="Id">The same one again is ignored; null: it is new in any case.</param>
    public sealed record Raise(string Name, Payload? Data, string? Id = null) : InstanceCommand;

    /// <param name="Recursive">Sub-orchestrations too.</param>
    public sealed record Terminate(Payload? Output, bool Recursive) : InstanceCommand;

    public sealed record Suspend : InstanceCommand;

    public sealed record Resume : InstanceCommand;

    /// <summary>What was to be sent has arrived.</summary>
    public sealed record Delivered(string EventId) : InstanceCommand;

    /// <summary>Sub-orchestrations have been told of the end.</summary>
    public sealed record ChildrenTerminated : InstanceCommand;
}
