using Microsoft.AspNetCore.Http;

namespace OllamaMax.Edge.Requests;

/// <summary>Says in an answer which model it is of: the answer itself repeats the name that was asked for, which may be an alias.</summary>
internal static class ModelHeader
{
    public const string Name = "x-ollamamax-model";

    /// <param name="context">Its response has not started.</param>
    /// <param name="model">The model's own name; null: it is not known, and nothing is said.</param>
    public static void Write(HttpContext context, string? model)
    {
        if (model is not null)
            context.Response.Headers[Name] = model;
    }
}
