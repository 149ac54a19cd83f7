using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Http;
using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>
/// Finds what a request goes on from: the responses before it, each by what it keeps itself. So what was deleted, or has expired, is gone from what follows
/// as well, and who goes on from it is refused.
/// </summary>
internal sealed class ResponseHistory(IResponseArchive archive, IOptions<EdgeOptions> options)
{
    // A conversation has room for more than one request, as each of its turns was one; references may name one item any number of times.
    private const int MostBodies = 4;

    /// <summary>Responses that one conversation may have: each is read for the next.</summary>
    private const int MostResponses = 1000;

    /// <summary>The request with all messages that the model is to read, and all tools.</summary>
    public async ValueTask<Result<ResponsesRequest>> ResolveAsync(ResponsesRequest request, string tenant, CancellationToken cancellationToken)
    {
        bool hasReferences = request.Input.Any(IsReference);
        if (request.PreviousId is null && !hasReferences)
            return request;
        Stack<StoredResponse> earlier = new();
        long bytes = 0;
        for (string? next = request.PreviousId; next is not null; next = earlier.Peek().PreviousId)
        {
            if ((await FindAsync(next, tenant, cancellationToken)).Failed(out ApiError? error, out StoredResponse? found))
                return error;
            earlier.Push(found);
            bytes += SizeOf([.. found.Input, .. OutputOf(found)]);
            if (bytes > MostBytes)
                return TooLarge("previous_response_id");
            if (earlier.Count > MostResponses)
                return ApiError.BadRequest($"previous_response_id: a conversation can have at most {MostResponses} responses") with { Field = "previous_response_id" };
        }
        List<JsonElement> items = [];
        foreach (StoredResponse response in earlier)
            items.AddRange([.. response.Input, .. OutputOf(response)]);
        items.AddRange(request.Input);
        if ((await DereferenceAsync(items, earlier, tenant, cancellationToken)).Failed(out ApiError? unknown, out List<JsonElement>? all))
            return unknown;
        if (SizeOf(all) > MostBytes)
            return TooLarge("input");
        FieldErrors errors = new();
        JsonFields[] read = [.. all.Select(item => new JsonFields(item, "input", errors))];
        // The request's own are read already, but for those that a reference stood for.
        int own = read.Length - request.Input.Count;
        ResponsesRequest whole = WithTools(request, read.Where((_, index) => index < own || IsReference(request.Input[index - own])), errors);
        whole = whole with { Inference = whole.Inference with { Messages = Conversation.Read(request.Instructions, read) } };
        return errors.First is { } first ? first : whole;
    }

    private static ResponsesRequest WithTools(ResponsesRequest request, IEnumerable<JsonFields> earlier, FieldErrors errors)
    {
        JsonElement[] tools = [.. earlier.SelectMany(FlatTools.HeldBy).Select(tool => tool.Element)];
        if (tools.Length == 0)
            return request;
        JsonElement settings = ResponseSettings.WithTools(request.Settings, tools);
        ToolFields fields = ToolFields.Read(new(settings, "", errors), isFlat: true);
        return request with { Settings = settings, Inference = request.Inference with { Tools = fields.Tools, ToolChoice = fields.Choice } };
    }

    private long MostBytes => MostBodies * options.Value.MaxBodyBytes;

    private ApiError TooLarge(string field) =>
        ApiError.BadRequest($"{field}: the conversation is larger than {MostBytes} bytes with all that it goes on from and refers to") with { Field = field };

    private static long SizeOf(IReadOnlyList<JsonElement> items) => items.Sum(static item => (long)JsonMarshal.GetRawUtf8Value(item).Length);

    private async ValueTask<Result<StoredResponse>> FindAsync(string id, string tenant, CancellationToken cancellationToken)
    {
        StoredResponse? found = ResponseId.TryRead(id, out string? bare) ? await archive.FindAsync(bare, tenant, cancellationToken) : null;
        if (found is null)
        {
            return ApiError.BadRequest($"previous response with id '{id}' not found") with
            {
                Field = "previous_response_id",
                Code = "previous_response_not_found",
            };
        }
        if (found.Answer?.GetProperty("status").GetString() is "completed" or "incomplete")
            return found;
        return ApiError.BadRequest($"previous response with id '{id}' has no answer to go on from") with { Field = "previous_response_id" };
    }

    /// <summary>Puts what references stand for in their places: items of the responses before, or of others that are kept.</summary>
    private async ValueTask<Result<List<JsonElement>>> DereferenceAsync(
        List<JsonElement> items, IEnumerable<StoredResponse> earlier, string tenant, CancellationToken cancellationToken)
    {
        Dictionary<string, StoredResponse> known = earlier.ToDictionary(response => response.Id);
        for (int i = 0; i < items.Count; i++)
        {
            if (!IsReference(items[i]))
                continue;
            string reference = items[i].GetProperty("id").GetString() ?? "";
            if (ResponseId.TryReadItem(reference, out string? id) && !known.ContainsKey(id) && await archive.FindAsync(id, tenant, cancellationToken) is { } found)
                known.Add(id, found);
            JsonElement? item = id is not null && known.TryGetValue(id, out StoredResponse? response)
                ? response.Input.Concat(OutputOf(response)).Where(one => !IsReference(one) && one.GetProperty("id").ValueEquals(reference)).Cast<JsonElement?>().FirstOrDefault()
                : null;
            if (item is not { } target)
                return ApiError.BadRequest($"item with id '{reference}' not found") with { Field = "input" };
            items[i] = target;
        }
        return items;
    }

    private static JsonElement[] OutputOf(StoredResponse response) =>
        response.Answer is { } answer ? [.. answer.GetProperty("output").EnumerateArray()] : [];

    private static bool IsReference(JsonElement item) => item.GetProperty("type").ValueEquals("item_reference");
}
