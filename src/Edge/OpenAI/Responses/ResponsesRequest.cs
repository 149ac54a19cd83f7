using System.Text.Json;
using OllamaMax.Edge.Requests;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>A request of <c>/v1/responses</c>, translated.</summary>
/// <param name="Id">Of the response, without its prefix.</param>
/// <param name="Inference">What to run; its messages are those of the request's own items.</param>
/// <param name="Input">The request's own items, each with its id.</param>
internal sealed record ResponsesRequest(string Id, InferenceRequest Inference, IReadOnlyList<JsonElement> Input)
{
    /// <summary>What the response repeats of the request: one object.</summary>
    public JsonElement Settings { get; init; }

    /// <summary>What stands before all items as a system message; it is not taken over from the response that this one goes on from.</summary>
    public string? Instructions { get; init; }

    /// <summary>The response that this one goes on from, with its prefix.</summary>
    public string? PreviousId { get; init; }

    public bool IsStream { get; init; }

    /// <summary>Whether the client can come back to it.</summary>
    public bool IsStored { get; init; }

    public bool IsBackground { get; init; }

    /// <summary>Whether its reasoning is to come in a form that the client sends back.</summary>
    public bool CarriesReasoning { get; init; }
}
