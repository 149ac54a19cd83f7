using Microsoft.DurableTask;

namespace OllamaMax.TaskHub.Instances;

/// <summary>Why something failed, as it is stored.</summary>
/// <param name="Type">Full name of the exception's type.</param>
internal sealed record TaskFailure(string Type, string Message, string? StackTrace, TaskFailure? Inner)
{
    public static TaskFailure From(Exception exception) => From(TaskFailureDetails.FromException(exception));

    /// <param name="output">What it was terminated with, for the message.</param>
    public static TaskFailure Terminated(string? output) =>
        new("OllamaMax.TaskHub.Terminated", $"the sub-orchestration was terminated{(output is null ? "" : $": {output}")}", null, null);

    public TaskFailureDetails ToDetails() => new(Type, Message, StackTrace, Inner?.ToDetails(), null);

    private static TaskFailure From(TaskFailureDetails details) =>
        new(details.ErrorType, details.ErrorMessage, details.StackTrace, details.InnerFailure is { } inner ? From(inner) : null);
}
