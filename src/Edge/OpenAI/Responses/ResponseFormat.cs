using System.Buffers;
using System.Text.Json;
using OllamaMax.Edge.Http;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.OpenAI.Responses;

/// <summary>
/// Answers of <c>/v1/responses</c>, and as a stream their events (https://platform.openai.com/docs/api-reference/responses-streaming). What it writes
/// follows from head and output alone, ids and numbers of events included: whoever comes back gets the same.
/// </summary>
/// <param name="head">What is answered.</param>
/// <param name="isStream">Errors are events then.</param>
/// <param name="after">Number of the last event that the client has.</param>
internal sealed class ResponseFormat(ResponseHead head, bool isStream, int after = -1) : IAnswerFormat, IDisposable
{
    private readonly bool _isBackground = ResponseSettings.IsBackground(head.Settings);
    private readonly bool _summarizes = ResponseSettings.WantsSummary(head.Settings);
    private readonly ResponseEvents _events = new(after);
    private readonly List<ResponseItem> _items = [];
    private bool _isCreated;
    private bool _hasBegun;

    public string StreamContentType => ServerSentEvents.ContentType;

    /// <summary>Keeps the answer, a whole response; null: it is not kept.</summary>
    public Func<JsonElement, CancellationToken, Task>? Keep { get; init; }

    public bool Keeps => Keep is not null;

    /// <summary>Whether the client is to have the reasoning in a form that it sends back.</summary>
    public bool CarriesReasoning { get; init; }

    private ResponseItem? Open => _items is [.., { Status: null } item] ? item : null;

    public async ValueTask KeepAsync(int choice, JobOutput.Finished finished, CancellationToken cancellationToken)
    {
        if (Keep is not null)
            await Keep(Document(_items, finished), cancellationToken);
    }

    public async ValueTask KeepAsync(IReadOnlyList<WholeOutput> choices, CancellationToken cancellationToken)
    {
        if (Keep is not null)
            await Keep(Document(ItemsOf(choices[0].Answer), choices[0].Finished), cancellationToken);
    }

    /// <summary>The first events, for a client that waits until a worker begins.</summary>
    public void WriteCreated(IBufferWriter<byte> output)
    {
        if (_isCreated)
            return;
        _isCreated = true;
        WriteStatus(output, "response.created", _isBackground ? "queued" : "in_progress");
        if (_isBackground)
            WriteStatus(output, "response.queued", "queued");
    }

    public void WriteDelta(IBufferWriter<byte> output, int choice, JobOutput.Delta delta)
    {
        Begin(output);
        if (delta.Thinking.Length > 0)
            WriteText(output, ResponseItem.Reasoning, delta.Thinking, []);
        if (delta.Text.Length > 0)
            WriteText(output, ResponseItem.Message, delta.Text, delta.Logprobs);
        foreach (ToolCall call in delta.ToolCalls)
            WriteCall(output, call);
    }

    public void WriteHeartbeat(IBufferWriter<byte> output) => ServerSentEvents.WriteComment(output);

    public void WriteEnd(IBufferWriter<byte> output, int choice, JobOutput.Finished finished)
    {
        Begin(output);
        string status = ResponseJson.StatusOf(finished.Reason);
        if (IsMissingMessage(_items))
            OpenItem(output, New(ResponseItem.Message, _items.Count));
        Close(output, status);
        Utf8JsonWriter json = _events.Begin("response." + status);
        json.WritePropertyName("response"u8);
        ResponseJson.Write(json, head, status, _items, finished.Statistics);
        _events.End(output);
    }

    /// <summary>The end without an answer.</summary>
    /// <param name="status">failed or cancelled; for both the API has one event.</param>
    /// <param name="hasRun">Whether a worker had it.</param>
    public void WriteFailed(IBufferWriter<byte> output, string status, ApiError? error, bool hasRun)
    {
        if (hasRun)
            Begin(output);
        else
            WriteCreated(output);
        Utf8JsonWriter json = _events.Begin("response.failed");
        json.WritePropertyName("response"u8);
        ResponseJson.Write(json, head, status, [], error: error);
        _events.End(output);
    }

    public void WriteError(IBufferWriter<byte> output, ApiError error)
    {
        if (isStream)
            WriteFailed(output, "failed", error, hasRun: true);
        else
            OpenAIErrors.Write(output, error);
    }

    public void WriteWhole(IBufferWriter<byte> output, IReadOnlyList<WholeOutput> choices)
    {
        (JobOutput.Delta answer, _, JobOutput.Finished finished) = choices[0];
        using Utf8JsonWriter json = new(output, Json.Writer);
        ResponseJson.Write(json, head, ResponseJson.StatusOf(finished.Reason), ItemsOf(answer), finished.Statistics);
    }

    public void Dispose() => _events.Dispose();

    private static bool IsMissingMessage(List<ResponseItem> items) => items.TrueForAll(item => item.Type == ResponseItem.Reasoning);

    private JsonElement Document(List<ResponseItem> items, JobOutput.Finished finished)
    {
        return Json.Element(json =>
        {
            List<ResponseItem> all = IsMissingMessage(items) ? [.. items, New(ResponseItem.Message, items.Count)] : items;
            ResponseJson.Write(json, head, ResponseJson.StatusOf(finished.Reason), all, finished.Statistics);
        });
    }

    private List<ResponseItem> ItemsOf(JobOutput.Delta answer)
    {
        List<ResponseItem> items = [];
        if (answer.Thinking.Length > 0)
            Add(New(ResponseItem.Reasoning, 0), answer.Thinking);
        if (answer.Text.Length > 0 || answer.ToolCalls.Count == 0)
        {
            ResponseItem message = New(ResponseItem.Message, items.Count);
            message.Logprobs.AddRange(answer.Logprobs);
            Add(message, answer.Text);
        }
        foreach (ToolCall call in answer.ToolCalls)
            Add(New(call, items.Count, out string input), input);
        return items;

        void Add(ResponseItem item, string text)
        {
            if (items is [.., { } before])
                before.Status = "completed";
            item.Text.Append(text);
            items.Add(item);
        }
    }

    private ResponseItem New(string type, int index) => new(type, head.Id, index)
    {
        IsCarried = CarriesReasoning,
        IsSummary = _summarizes && type == ResponseItem.Reasoning,
    };

    private ResponseItem New(ToolCall call, int index, out string input)
    {
        FlatTool tool = FlatTool.Called(ResponseSettings.Tools(head.Settings), call.Name);
        input = tool.InputOf(call.Arguments);
        return new(tool.IsCustom ? ResponseItem.CustomToolCall : ResponseItem.FunctionCall, head.Id, index) { Name = tool.Name, Namespace = tool.Namespace };
    }

    private void Begin(IBufferWriter<byte> output)
    {
        if (_hasBegun)
            return;
        _hasBegun = true;
        WriteCreated(output);
        WriteStatus(output, "response.in_progress", "in_progress");
    }

    private void WriteStatus(IBufferWriter<byte> output, string type, string status)
    {
        Utf8JsonWriter json = _events.Begin(type);
        json.WritePropertyName("response"u8);
        ResponseJson.Write(json, head, status, []);
        _events.End(output);
    }

    private void WriteText(IBufferWriter<byte> output, string type, string text, IReadOnlyList<TokenText> logprobs)
    {
        ResponseItem item = Open is { } open && open.Type == type ? open : OpenItem(output, New(type, _items.Count));
        item.Text.Append(text);
        item.Logprobs.AddRange(logprobs);
        Utf8JsonWriter json = BeginOfPart(item, $"response.{item.PartType}.delta");
        json.WriteString("delta"u8, text);
        WriteLogprobs(json, item, logprobs);
        _events.End(output);
    }

    /// <summary>Leaves in one piece.</summary>
    private void WriteCall(IBufferWriter<byte> output, ToolCall call)
    {
        ResponseItem item = OpenItem(output, New(call, _items.Count, out string input));
        item.Text.Append(input);
        BeginOf(item, $"response.{InputOf(item)}.delta").WriteString("delta"u8, input);
        _events.End(output);
    }

    private ResponseItem OpenItem(IBufferWriter<byte> output, ResponseItem item)
    {
        Close(output, "completed");
        _items.Add(item);
        WriteItem(output, item, "response.output_item.added", "in_progress");
        if (!item.IsCall)
            WritePart(output, item, "added");
        return item;
    }

    private void Close(IBufferWriter<byte> output, string status)
    {
        if (Open is not { } item)
            return;
        if (item.IsCall)
        {
            Utf8JsonWriter json = BeginOf(item, $"response.{InputOf(item)}.done");
            if (item.Type == ResponseItem.FunctionCall)
                json.WriteString("name"u8, item.Name);
            json.WriteString(item.Type == ResponseItem.FunctionCall ? "arguments"u8 : "input"u8, item.Text.ToString());
            _events.End(output);
        }
        else
        {
            Utf8JsonWriter json = BeginOfPart(item, $"response.{item.PartType}.done");
            json.WriteString("text"u8, item.Text.ToString());
            WriteLogprobs(json, item, item.Logprobs);
            _events.End(output);
            WritePart(output, item, "done");
        }
        item.Status = status;
        WriteItem(output, item, "response.output_item.done", status);
    }

    private static string InputOf(ResponseItem item) => item.Type == ResponseItem.FunctionCall ? "function_call_arguments" : "custom_tool_call_input";

    private Utf8JsonWriter BeginOf(ResponseItem item, string type)
    {
        Utf8JsonWriter json = _events.Begin(type);
        json.WriteString("item_id"u8, item.Id);
        json.WriteNumber("output_index"u8, item.Index);
        return json;
    }

    private Utf8JsonWriter BeginOfPart(ResponseItem item, string type)
    {
        Utf8JsonWriter json = BeginOf(item, type);
        json.WriteNumber(item.IsSummary ? "summary_index"u8 : "content_index"u8, 0);
        return json;
    }

    private void WriteItem(IBufferWriter<byte> output, ResponseItem item, string type, string status)
    {
        Utf8JsonWriter json = _events.Begin(type);
        json.WriteNumber("output_index"u8, item.Index);
        json.WritePropertyName("item"u8);
        item.Write(json, status);
        _events.End(output);
    }

    private void WritePart(IBufferWriter<byte> output, ResponseItem item, string what)
    {
        Utf8JsonWriter json = BeginOfPart(item, $"response.{(item.IsSummary ? "reasoning_summary_part" : "content_part")}.{what}");
        json.WritePropertyName("part"u8);
        item.WritePart(json, item.Text.ToString());
        _events.End(output);
    }

    private static void WriteLogprobs(Utf8JsonWriter json, ResponseItem item, IReadOnlyList<TokenText> logprobs)
    {
        if (item.Type == ResponseItem.Message)
            ChatLogprobsJson.WriteTokens(json, "logprobs"u8, logprobs);
    }
}
