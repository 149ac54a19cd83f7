using System.Text.Json.Serialization;
using OllamaMax.Jobs;
using OllamaMax.Jobs.Forwarding;
using OllamaMax.Jobs.Records;
using OllamaMax.Workers;

namespace OllamaMax.Streaming;

/// <summary>JSON of everything that edges and workers exchange.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(GrantMessage))]
[JsonSerializable(typeof(DenyMessage))]
[JsonSerializable(typeof(AckMessage))]
[JsonSerializable(typeof(StopMessage))]
[JsonSerializable(typeof(NudgeMessage))]
[JsonSerializable(typeof(EchoMessage))]
[JsonSerializable(typeof(UnloadMessage))]
[JsonSerializable(typeof(DirectiveMessage))]
[JsonSerializable(typeof(ReplicaOrdersMessage))]
[JsonSerializable(typeof(CancelTransferMessage))]
[JsonSerializable(typeof(ResumeTransferMessage))]
[JsonSerializable(typeof(ClusterChangedMessage))]
[JsonSerializable(typeof(WorkerMessage))]
[JsonSerializable(typeof(QueuedJob))]
[JsonSerializable(typeof(Job))]
[JsonSerializable(typeof(ForwardedPrompt))]
[JsonSerializable(typeof(HeartbeatContent))]
[JsonSerializable(typeof(WorkerReport))]
[JsonSerializable(typeof(EnrolmentRequest))]
[JsonSerializable(typeof(EnrolmentRecord))]
[JsonSerializable(typeof(CapabilityRequest))]
[JsonSerializable(typeof(WorkerCapabilities))]
[JsonSerializable(typeof(JoinTokenRecord))]
[JsonSerializable(typeof(JobRecord))]
[JsonSerializable(typeof(JobContent))]
[JsonSerializable(typeof(StoredResponse))]
[JsonSerializable(typeof(StrategyRecord))]
[JsonSerializable(typeof(BatchRecord))]
[JsonSerializable(typeof(KeyedSubmission))]
[JsonSerializable(typeof(OutputLine))]
[JsonSerializable(typeof(JobClaimRequest))]
[JsonSerializable(typeof(JobClaimAnswer))]
[JsonSerializable(typeof(JobCompletion))]
[JsonSerializable(typeof(JobProgress))]
[JsonSerializable(typeof(WatchMessage))]
public sealed partial class ProtocolJson : JsonSerializerContext;
