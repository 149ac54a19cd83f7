using Microsoft.AspNetCore.Http;
using OllamaMax.Jobs;
using OllamaMax.Models;

namespace OllamaMax.Edge.Http;

/// <summary>An answer that is an error, before an API gives it its shape.</summary>
/// <param name="Status">HTTP status; not used where the status line has already left.</param>
/// <param name="Message">For the client: says what to change. No internals.</param>
internal sealed record ApiError(int Status, string Message)
{
    /// <summary>Goes out as <c>Retry-After</c> in whole seconds, rounded up.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Path of the request's field that it is about, where it is about one; for APIs that name it apart.</summary>
    public string? Field { get; init; }

    /// <summary>A word that programs tell it by, where an API has one.</summary>
    public string? Code { get; init; }

    /// <summary>It is that the prompt, or the input, does not fit into the context: clients know that by the words of the API that they speak, and make it shorter.</summary>
    public ContextExcess? Excess { get; init; }

    public static ApiError BadRequest(string message) => new(StatusCodes.Status400BadRequest, message);

    public static ApiError ModelNotFound(string name)
    {
        string message = $"model '{name}' not found";
        if (ModelName.IsNameOfCloud(name))
            message += ": names like this are ollama.com's for models that run there, where this server has no account";
        return new(StatusCodes.Status404NotFound, message) { Field = "model", Code = "model_not_found" };
    }

    /// <summary>A field that this server does not know, or know to do: refused, since ignoring it could change the answer.</summary>
    public static ApiError NotSupported(string field) => BadRequest($"{field} is not supported by this server") with { Field = field };

    public static ApiError From(JobError error) => new(StatusOf(error.Kind), error.Message)
    {
        RetryAfter = error.RetryAfter,
        Excess = error.Excess,
        Code = error.Excess is null ? null : "context_length_exceeded",
    };

    private static int StatusOf(JobErrorKind kind) => kind switch
    {
        JobErrorKind.Invalid => StatusCodes.Status400BadRequest,
        JobErrorKind.Busy or JobErrorKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
        JobErrorKind.OverLimit => StatusCodes.Status429TooManyRequests,
        JobErrorKind.DeadlineExceeded => StatusCodes.Status504GatewayTimeout,
        JobErrorKind.Cancelled => StatusCodes.Status499ClientClosedRequest,
        _ => StatusCodes.Status500InternalServerError,
    };
}
