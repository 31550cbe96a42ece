{{/* What no schema can say in a sentence: all faults at once. */}}
{{- define "genai.check" -}}
{{- $faults := list -}}
{{- if not .Values.existingSecret -}}
{{- $faults = append $faults "existingSecret must name a Secret that holds the keys: the chart makes none" -}}
{{- end -}}
{{- if not .Values.settings.ROUTER_WS_URL -}}
{{- $faults = append $faults "settings.ROUTER_WS_URL must be given" -}}
{{- end -}}
{{- if and (not .Values.settings.POSTGRES_HOST) (not .Values.databaseUrlInSecret) -}}
{{- $faults = append $faults "settings.POSTGRES_HOST must be given, or databaseUrlInSecret be true" -}}
{{- end -}}
{{- if and .Values.settings.POSTGRES_HOST .Values.databaseUrlInSecret -}}
{{- $faults = append $faults "settings.POSTGRES_HOST and databaseUrlInSecret exclude each other" -}}
{{- end -}}
{{- if and .Values.migration.settings .Values.databaseUrlInSecret -}}
{{- $faults = append $faults "migration.settings and databaseUrlInSecret exclude each other: the URL is the migration's too" -}}
{{- end -}}
{{- $redis := toString (.Values.settings.REDIS_URL | default "") -}}
{{- if and (not $redis) (not .Values.redisUrlInSecret) -}}
{{- $faults = append $faults "settings.REDIS_URL must be given, or redisUrlInSecret be true" -}}
{{- end -}}
{{- if and $redis .Values.redisUrlInSecret -}}
{{- $faults = append $faults "settings.REDIS_URL and redisUrlInSecret exclude each other" -}}
{{- end -}}
{{- if or (contains "@" $redis) (contains "password=" $redis) -}}
{{- $faults = append $faults "settings.REDIS_URL has a password: make it a key of the Secret, and redisUrlInSecret true" -}}
{{- end -}}
{{- $places := compact (list .Values.files.url .Values.files.existingClaim .Values.files.claim.size) -}}
{{- if ne (len $places) 1 -}}
{{- $faults = append $faults "exactly one of files.url, files.existingClaim and files.claim.size must be given: all gateways share users' files" -}}
{{- end -}}
{{- range $name := list "gateway" "bridge" -}}
{{- with (index $.Values $name).autoscaling -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- $faults = append $faults (printf "%s.autoscaling.minReplicas is above maxReplicas" $name) -}}
{{- end -}}
{{- if and .enabled (not .cpuPercent) (not .socketsPerPod) (not .lanesPerPod) -}}
{{- $faults = append $faults (printf "%s.autoscaling looks at nothing: cpuPercent is 0" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.ingress.enabled -}}
{{- if not .Values.ingress.host -}}
{{- $faults = append $faults "ingress.host must be given" -}}
{{- end -}}
{{- if not .Values.settings.TRUSTED_PROXIES -}}
{{- $faults = append $faults "settings.TRUSTED_PROXIES must be the addresses of the ingress controller's pods: otherwise all users have its address, and share its bounds" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.proxies) -}}
{{- $faults = append $faults "networkPolicy.proxies must say who leads front-ends to the gateways, or networkPolicy.enabled be false" -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled .Values.monitoring.podMonitor.enabled (not .Values.networkPolicy.prometheus) -}}
{{- $faults = append $faults "networkPolicy.prometheus must say who asks for metrics, or monitoring.podMonitor.enabled be false" -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "\n\n- %s\n" (join "\n- " $faults)) -}}
{{- end -}}
{{- end }}
