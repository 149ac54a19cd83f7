namespace OllamaMax.Edge.Http;

/// <summary>Keeps the first thing that was wrong with a request's fields; reading goes on with defaults.</summary>
internal sealed class FieldErrors
{
    public ApiError? First { get; private set; }

    /// <param name="field">Path of the field, such as <c>options.temperature</c>.</param>
    /// <param name="rule">Goes on after the path: "must be …".</param>
    public void Add(string field, string rule) => Add(ApiError.BadRequest($"{field} {rule}") with { Field = field });

    public void Add(ApiError error) => First ??= error;
}
