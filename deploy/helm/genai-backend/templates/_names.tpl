{{/* What things are called, and by which labels they are found. */}}

{{- define "genai.name" -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{/* Of one component: (list $ "gateway"). */}}
{{- define "genai.selector" -}}
app.kubernetes.io/name: {{ (index . 0).Chart.Name }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "genai.labels" -}}
{{ include "genai.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end }}

{{- define "genai.claim" -}}
{{- .Values.files.existingClaim | default (printf "%s-files" (include "genai.name" .)) -}}
{{- end }}

{{- define "genai.agentsHost" -}}
{{- .Values.ingress.agents.host | default .Values.ingress.host -}}
{{- end }}

{{- define "genai.agentsUrl" -}}
{{ ternary "wss" "ws" (not (empty (include "genai.agentsTls" .))) }}://{{ include "genai.agentsHost" . }}/ws
{{- end }}

{{- define "genai.agentsTls" -}}
{{- $same := eq (include "genai.agentsHost" .) .Values.ingress.host -}}
{{- .Values.ingress.agents.tlsSecretName | default (ternary .Values.ingress.tlsSecretName "" $same) -}}
{{- end }}
